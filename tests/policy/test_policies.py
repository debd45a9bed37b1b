"""Each policy: a resource that it lets pass, one that it does not, and what it says then."""

import json

import pytest

from policy import clear_text, host_keys, networks, pods, protection
from policy.pack import POLICIES
from policy.resources import LATER, Resource
from tests.graph.recording import ED25519, PRIVATE_KEY

DIGEST = "@sha256:" + "a" * 64
ENOUGH = {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "16Mi"}}


def ask(policy, *resources, **settings):
    """What a policy says of resources, with the organisation's settings."""
    known = policy.completed(settings)
    if policy.of_one:
        return [message for resource in resources for message in policy.of_one(resource, known)]
    return [message for _, message in policy.of_all(list(resources), known)]


def deployment(name="probe", kind="Deployment", annotation="", pod=(), **container):
    """A workload of one container."""
    metadata = {"annotations": {networks.ANNOTATION: annotation}} if annotation else {}
    whole = {"containers": [{"name": name, "image": "r.example/busybox:1.36", **container}], **dict(pod)}
    spec = {"template": {"metadata": metadata, "spec": whole}}
    return Resource(f"kubernetes:apps/v1:{kind}", f"dallas-{name}", {"metadata": {"name": name}, "spec": spec})


def nad(*plugins, name="internal", namespace="default"):
    """A network of the plugins."""
    config = json.dumps({"cniVersion": "1.0.0", "name": name, "plugins": list(plugins)})
    metadata = {"name": name, "namespace": namespace}
    kind = "kubernetes:k8s.cni.cncf.io/v1:NetworkAttachmentDefinition"
    return Resource(kind, f"dallas-{name}", {"metadata": metadata, "spec": {"config": config}})


def macvlan(master="ens6", **ipam):
    return {"type": "macvlan", "master": master, "ipam": ipam}


def remote(**connection):
    whole = {"host": "10.1.1.5", "hostKey": ED25519, **connection}
    return Resource("command:remote:Command", "dallas-node1-facts", {"connection": whole})


@pytest.mark.parametrize(
    ("image", "settings", "words"),
    [
        ("busybox:1.36", {}, ""),
        ("busybox", {}, "no tag, which means latest; write a version, such as busybox:1.2.3"),
        ("busybox:latest", {}, "busybox:latest has the tag latest, which moves"),
        ("r.example:5000/busybox", {}, "no tag"),
        ("r.example:5000/busybox:1.36", {}, ""),
        (f"busybox{DIGEST}", {}, ""),
        (f"busybox:latest{DIGEST}", {}, ""),
        ("busybox:1.36", {"digest": True}, "busybox:1.36 has no digest; write busybox:1.36@sha256:…"),
        (f"busybox:1.36{DIGEST}", {"digest": True}, ""),
        ("r.example/busybox:1", {"registries": ["r.example"]}, ""),
        ("r.example.evil/busybox:1", {"registries": ["r.example"]}, "take it from one of r.example"),
        (LATER, {"digest": True}, ""),
    ],
)
def test_images(image, settings, words):
    said = ask(pods.IMAGES_PINNED, deployment(image=image), **settings)
    assert said == [] if not words else len(said) == 1 and words in said[0]


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet", "Job"])
def test_every_kind_of_pod_is_looked_at_and_what_runs_first_too(kind):
    found = ask(pods.IMAGES_PINNED, deployment(kind=kind, image="a", pod={"initContainers": [{"image": "b"}]}))
    assert [message.partition(" ")[0] for message in found] == [
        "spec.template.spec.initContainers[0].image",
        "spec.template.spec.containers[0].image",
    ]
    cron = {"jobTemplate": {"spec": {"template": {"spec": {"containers": [{"image": "a"}]}}}}}
    assert len(ask(pods.IMAGES_PINNED, Resource("kubernetes:batch/v1:CronJob", "c", {"spec": cron}))) == 1
    assert ask(pods.IMAGES_PINNED, Resource("kubernetes:core/v1:Pod", "p", {"spec": LATER})) == []


@pytest.mark.parametrize(
    ("resources", "settings", "lacking"),
    [
        (ENOUGH, {}, ""),
        ({}, {}, "requests.cpu, requests.memory, limits.memory missing"),
        ({**ENOUGH, "limits": {}}, {}, "resources of probe: limits.memory missing; say what the container needs, in a site workloads.NAME.resources"),
        (ENOUGH, {"required": ["limits.cpu"]}, "limits.cpu missing"),
        ({}, {"required": []}, ""),
    ],
)  # fmt: skip
def test_amounts(resources, settings, lacking):
    said = ask(pods.RESOURCES_SET, deployment(resources=resources), **settings)
    assert said == [] if not lacking else lacking in said[0]


@pytest.mark.parametrize(
    ("connection", "words"),
    [
        ({}, ""),
        ({"hostKey": LATER}, ""),
        ({"hostKey": None}, "connection.hostKey: missing, and any machine at 10.1.1.5 would be taken for the node"),
        ({"hostKey": ""}, "ssh-keyscan -t ed25519 10.1.1.5"),
        ({"hostKey": "*"}, "'*' is not a public host key"),
        ({"proxy": {"host": "203.0.113.9", "hostKey": ED25519}}, ""),
        ({"proxy": {"host": "203.0.113.9"}}, "connection.proxy.hostKey: missing, and any machine at 203.0.113.9"),
    ],
)
def test_host_keys(connection, words):
    said = ask(host_keys.HOST_KEYS_PINNED, remote(**connection))
    assert said == [] if not words else len(said) == 1 and words in said[0]
    assert ask(host_keys.HOST_KEYS_PINNED, Resource("command:local:Command", "x", {"connection": {}})) == []


@pytest.mark.parametrize(
    ("resource", "words"),
    [
        (deployment(env=[{"name": "DB_PASSWORD", "value": "s3cret"}]), "the value of DB_PASSWORD is in clear text; put it into a Secret"),
        (deployment(env=[{"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "p"}}}]), ""),
        (deployment(env=[{"name": "PASSWORD_FILE", "value": "/run/p"}, {"name": "TOKEN", "value": ""}]), ""),
        (deployment(args=[PRIVATE_KEY]), "args[0] of probe: holds a private key in clear text"),
        (Resource("kubernetes:core/v1:ConfigMap", "m", {"data": {"key": PRIVATE_KEY}}), "data.key of m: holds a private key"),
        (Resource("kubernetes:core/v1:Secret", "s", {"stringData": {"key": PRIVATE_KEY}}), ""),
        (Resource("command:local:Command", "c", {"create": "curl https://u:p@r.example/x"}), "create of c: holds a password in an address in clear text; pass it to the command on stdin"),
        (Resource("command:local:Command", "c", {"create": "curl https://r.example/x", "stdin": PRIVATE_KEY}), ""),
        (Resource("command:remote:Command", "c", {"triggers": [PRIVATE_KEY]}), "triggers[0] of c: holds a private key"),
        (Resource("multus-site:index:Site", "x", {"key": PRIVATE_KEY}), ""),
    ],
)  # fmt: skip
def test_plain_secrets(resource, words):
    said = ask(clear_text.NO_PLAIN_SECRETS, resource)
    assert said == [] if not words else len(said) == 1 and words in said[0]
    assert not any("s3cret" in message or PRIVATE_KEY[40:60] in message for message in said)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("multus-site:sshPrivateKey: {secure: v1:abc}", ""),
        ("multus-site:sshPrivateKey: hunter2", "s.yaml:2: multus-site:sshPrivateKey: holds a secret in clear text; set it again: pulumi config set --secret multus-site:sshPrivateKey"),
        ("multus-site:sudoPassword: hunter2", "s.yaml:2: multus-site:sudoPassword: holds a secret in clear text"),
        ("multus-site:secondBastionPrivateKey: hunter2", "multus-site:secondBastionPrivateKey: holds a secret in clear text"),
        ("multus-site:kubesprayVariables: '{}'", "kubesprayVariables: holds a secret in clear text"),
        ("multus-site:site: {nodes: {ssh: {privateKeyFile: ~/.ssh/id}, hostKeySeedFile: seed}}", ""),
        ("multus-site:site: {kubespray: {variables: {registry_password: hunter2}}}", "kubespray.variables.registry_password: holds a secret in clear text; move it into a secret key"),
        ("multus-site:site: {kubespray: {variables: {kube_token_auth: false}}}", ""),
        ("multus-site:site: {airGap: {files: 'http://u:hunter2@m.example/'}}", "airGap.files: holds a password in an address"),
        ("pulumi:disable-default-providers: ['*']", ""),
    ],
)  # fmt: skip
def test_stack_files(line, words):
    said = list(clear_text.in_stack_text(f"config:\n  {line}\n", "s.yaml"))
    assert said == [] if not words else len(said) == 1 and words in said[0]
    assert not any("hunter2" in message for message in said)


def test_the_stack_file_of_the_resources_is_the_one_that_is_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "Pulumi.dallas.yaml").write_text("config: {multus-site:hostKeySeed: abc}")
    (tmp_path / "stacks" / "Pulumi.austin.yaml").write_text("config: {multus-site:hostKeySeed: abc}")
    site = Resource("multus-site:index:Site", "dallas", urn="urn:pulumi:dallas::multus-site::multus-site:index:Site::d")
    (tmp_path / "stacks" / "defaults.yaml").write_text("kubespray: {variables: {registry_password: abc}}")
    said, shared = ask(clear_text.SECRETS_ENCRYPTED, site)
    assert shared.startswith("stacks/defaults.yaml:1: kubespray.variables.registry_password: ")
    assert said.startswith("stacks/Pulumi.dallas.yaml:1: multus-site:hostKeySeed: ")


HOSTS = [Resource(networks.NODE, f"dallas-node{i}") for i in (1, 2)]


def on(*nodes):
    chosen = {"key": "kubernetes.io/hostname", "operator": "In", "values": list(nodes)}
    terms = {"nodeSelectorTerms": [{"matchExpressions": [chosen]}]}
    return {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}}


@pytest.mark.parametrize(
    ("ipam", "pods_of", "bad"),
    [
        ("host-local", [deployment(annotation="internal")], True),
        ("host-local", [deployment(annotation="default/internal@net5, other")], True),
        ("host-local", [deployment(annotation='[{"name": "internal"}]', pod=on("node1", "node2"))], True),
        ("host-local", [deployment(annotation="internal", pod=on("node1"))], False),
        ("host-local", [deployment(annotation="internal", pod={"nodeName": "node1"})], False),
        ("host-local", [deployment(annotation="internal", pod={"nodeSelector": {"kubernetes.io/hostname": "node1"}})], False),
        ("host-local", [deployment(annotation="internal", pod=on("node1")), deployment("b", annotation="internal", pod=on("node2"))], True),
        ("host-local", [deployment(annotation="telecom/internal")], False),
        ("host-local", [deployment(annotation="external")], False),
        ("whereabouts", [deployment(annotation="internal")], False),
    ],
)  # fmt: skip
def test_host_local(ipam, pods_of, bad):
    network = nad(macvlan(type=ipam, subnet="10.1.10.0/24"))
    said = ask(networks.HOST_LOCAL, network, *pods_of, *HOSTS)
    assert bool(said) == bad
    if bad:
        assert "ipam of network internal: host-local, and its pods (" in said[0]
        assert "workloads.NAME.nodes" in said[0]
    assert ask(networks.HOST_LOCAL, network, *pods_of, HOSTS[0]) == []


@pytest.mark.parametrize(
    ("resource", "settings", "words"),
    [
        (nad(macvlan()), {}, ""),
        (nad(macvlan("eth0")), {}, "master of network internal: eth0 is the management NIC eth0"),
        (nad(macvlan("eth0.110")), {}, "eth0.110 is the management NIC eth0, or shares it"),
        (nad(macvlan("eth01")), {}, ""),
        (nad({"type": "host-device", "device": "eth0"}), {}, "device of network internal"),
        (nad({"type": "tuning"}, macvlan("eth0")), {}, "eth0"),
        (nad(macvlan("ens5")), {"interfaces": ["ens5"]}, "ens5 is the management NIC"),
        (nad(macvlan("eth0")), {"interfaces": ["ens5"]}, ""),
        (Resource("multus-site:index:NetworkAttachment", "dallas-internal", {"masters": ["ens6", "eth0"]}), {}, "on some node it is eth0"),
        (Resource("multus-site:index:NodeNetworks", "n", {"links": ["sig vlan eth0 110 -"]}), {}, "link sig: eth0 is the management NIC"),
        (Resource("multus-site:index:NodeNetworks", "n", {"links": ["bond0 bond 802.3ad - ens6 eth0"]}), {}, "link bond0: eth0"),
        (Resource("multus-site:index:NodeNetworks", "n", {"links": ["bond0 bond 802.3ad - ens6 ens7"]}), {}, ""),
    ],
)  # fmt: skip
def test_management_nic(resource, settings, words):
    said = ask(networks.MANAGEMENT_NIC, resource, **settings)
    assert said == [] if not words else len(said) == 1 and words in said[0]


SECOND = {"rangeStart": "10.1.10.200", "rangeEnd": "10.1.10.250", "subnet": "10.1.10.0/24"}


@pytest.mark.parametrize(
    ("resource", "ranges", "words"),
    [
        (nad(macvlan(type="host-local", ranges=[[SECOND]])), ["10.1.10.0/25"], ""),
        (nad(macvlan(type="host-local", ranges=[[SECOND]])), ["10.1.10.248/29"], "ipam of network internal: 10.1.10.200-10.1.10.250 is in 10.1.10.248/29"),
        (nad(macvlan(type="host-local", ranges=[[SECOND], [{"subnet": "fd00:1::/64"}]])), ["fd00::/16"], "fd00:1::-fd00:1::ffff:ffff:ffff:ffff"),
        (nad(macvlan(type="host-local", subnet="10.9.0.0/24")), ["10.0.0.0/8"], "10.9.0.0-10.9.0.255"),
        (nad(macvlan(type="whereabouts", range="10.1.10.200-10.1.10.250/24")), ["10.1.10.250/32"], "10.1.10.200-10.1.10.250"),
        (nad(macvlan(type="whereabouts", range="10.2.0.0/24", ipRanges=[{"range": "10.3.0.0/24"}])), ["10.3.0.0/16"], "10.3.0.0-10.3.0.255"),
        (nad(macvlan(type="static", addresses=[{"address": "10.1.10.9/24"}])), ["10.1.10.9/32"], "ipam.addresses of network internal: 10.1.10.9 is in"),
        (deployment(annotation='[{"name": "internal", "ips": ["10.1.10.9/24"]}]'), ["10.1.10.0/28"], "ips of probe on network internal: 10.1.10.9"),
        (deployment(annotation='[{"name": "internal", "ips": ["10.1.10.90/24"]}]'), ["10.1.10.0/28"], ""),
        (Resource("multus-site:index:NetworkAttachment", "dallas-i", {"ranges": ["10.1.10.200-10.1.10.250"]}), ["10.1.10.0/24"], "network dallas-i"),
        (nad(macvlan(type="dhcp")), ["0.0.0.0/0"], ""),
    ],
)  # fmt: skip
def test_forbidden_ranges(resource, ranges, words):
    said = ask(networks.FORBIDDEN_RANGES, resource, ranges=ranges)
    assert said == [] if not words else len(said) == 1 and words in said[0]


def test_link_local_is_forbidden_unless_the_organisation_says_otherwise():
    network = nad(macvlan(type="host-local", subnet="169.254.1.0/24"))
    assert len(ask(networks.FORBIDDEN_RANGES, network)) == 1
    assert ask(networks.FORBIDDEN_RANGES, network, ranges=[]) == []


@pytest.mark.parametrize(
    ("sites", "protect", "bad"), [(["dallas"], False, True), (["dallas"], True, False), (["austin"], False, False), ([], False, False)]
)  # fmt: skip
def test_protection(sites, protect, bad):
    site = Resource(protection.SITE, "dallas")
    cluster = Resource(protection.CLUSTER, "dallas-kubernetes", protect=protect)
    said = ask(protection.SITES_PROTECTED, site, cluster, sites=sites)
    assert bool(said) == bad
    if bad:
        assert "write protect: true into the site" in said[0]


def test_every_policy_looks_at_one_thing_and_its_settings_have_defaults():
    assert len({policy.name for policy in POLICIES}) == len(POLICIES)
    for policy in POLICIES:
        assert (policy.of_one is None) != (policy.of_all is None)
        assert all({"type", "default", "description"} <= schema.keys() for schema in policy.settings.values())
