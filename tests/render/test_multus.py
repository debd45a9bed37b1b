"""The Multus objects: rights no wider than needed, limits that hold, a probe that proves."""

import json

from multus_site.render import multus


def daemon(limit="256Mi"):
    return multus.daemon_set("ghcr.io/k8snetworkplumbingwg/multus-cni:v4.3.0-thick", limit, multus.given_files())


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


def test_all_probes_are_the_check_of_the_script_that_writes_the_configuration():
    container = containers()[-1]
    script = container["command"][1]
    assert container["command"] == ["sh", script, "run"]
    for probe in ("readinessProbe", "livenessProbe", "startupProbe"):
        assert container[probe]["exec"]["command"] == ["sh", script, "check"]


def test_the_script_and_both_configurations_are_where_the_daemon_looks_for_them():
    (container,) = daemon()["spec"]["template"]["spec"]["containers"]
    (folder,) = [m["mountPath"] for m in container["volumeMounts"] if m["name"] == multus.FILES]
    # cmd/multus-daemon DefaultMultusDaemonConfigFile; the other two are the script's
    assert folder == "/etc/cni/net.d/multus.d"
    volumes = {v["name"]: v for v in daemon()["spec"]["template"]["spec"]["volumes"]}
    items = volumes[multus.FILES]["configMap"]["items"]
    assert {item["key"] for item in items} == set(multus.config_map(multus.given_files())["data"])
    assert {item["path"] for item in items} == {"daemon-config.json", "00-multus.conf", "multus-config.sh"}
    assert container["command"][1] == f"{folder}/multus-config.sh"


def test_the_daemon_writes_no_configuration_where_the_runtime_reads():
    config = multus.daemon_config()
    assert not config["cniConfigDir"].startswith("/host")
    assert config["multusAutoconfigDir"] == multus.node_config()["clusterNetwork"]


def test_no_file_names_the_path_of_a_list_of_plugins():
    # multus-cni 4.2.1 to 4.3.0, pkg/k8sclient getNetDelegate: such a network is not deleted properly
    for text in (multus.given_files()["00-multus.conf"], multus.given_files()["daemon-config.json"]):
        assert "conflist" not in text
        assert json.loads(text)


def test_every_mount_has_its_volume():
    pod = daemon()["spec"]["template"]["spec"]
    volumes = {v["name"] for v in pod["volumes"]}
    mounts = {m["name"] for c in containers() for m in c["volumeMounts"]}
    assert mounts == volumes


def test_a_change_of_any_file_changes_the_template():
    files = multus.given_files()
    one = multus.daemon_set("i", "1Mi", files)["spec"]["template"]["metadata"]["annotations"]
    for name in files:
        changed = multus.daemon_set("i", "1Mi", {**files, name: "{}"})
        assert changed["spec"]["template"]["metadata"]["annotations"] != one


def test_plugins_are_found_by_the_same_path_inside_and_outside():
    mounts = {m["name"]: m["mountPath"] for m in containers()[-1]["volumeMounts"]}
    assert mounts["cnibin"] == "/opt/cni/bin"


def test_the_crd_is_waited_for():
    assert multus.crd()["metadata"]["annotations"]["pulumi.com/waitFor"] == "condition=Established"
