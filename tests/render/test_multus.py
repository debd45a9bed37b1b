"""The Multus objects: rights no wider than needed, limits that hold, a probe that proves."""

from multus_site.render import multus


def daemon(limit="256Mi"):
    return multus.daemon_set("ghcr.io/k8snetworkplumbingwg/multus-cni:v4.3.0-thick", limit, "{}")


def containers():
    pod = daemon()["spec"]["template"]["spec"]
    return [*pod["initContainers"], *pod["containers"]]


def test_no_right_is_a_wildcard_and_attachments_are_read_only():
    rules = multus.RULES
    assert not any("*" in (*r["apiGroups"], *r["resources"], *r["verbs"]) for r in rules)
    attachments = next(r for r in rules if r["apiGroups"] == [multus.GROUP])
    assert set(attachments["verbs"]) == {"get", "list", "watch"}


def test_every_container_has_request_equal_to_limit_for_memory():
    for container in containers():
        assert container["resources"]["requests"]["memory"] == container["resources"]["limits"]["memory"] == "256Mi"


def test_a_node_is_ready_only_with_its_configuration_and_socket():
    probe = containers()[-1]["readinessProbe"]["exec"]["command"][-1]
    assert "00-multus.conf" in probe
    assert "multus.sock" in probe


def test_every_mount_has_its_volume():
    pod = daemon()["spec"]["template"]["spec"]
    volumes = {v["name"] for v in pod["volumes"]}
    mounts = {m["name"] for c in containers() for m in c["volumeMounts"]}
    assert mounts == volumes


def test_the_configuration_in_the_template_changes_the_template():
    one = multus.daemon_set("i", "1Mi", "{}")["spec"]["template"]["metadata"]["annotations"]
    two = multus.daemon_set("i", "1Mi", '{"logLevel": "debug"}')["spec"]["template"]["metadata"]["annotations"]
    assert one != two


def test_plugins_are_found_by_the_same_path_inside_and_outside():
    mounts = {m["name"]: m["mountPath"] for m in containers()[-1]["volumeMounts"]}
    assert mounts["cnibin"] == "/opt/cni/bin"


def test_the_crd_is_waited_for():
    assert multus.crd()["metadata"]["annotations"]["pulumi.com/waitFor"] == "condition=Established"
