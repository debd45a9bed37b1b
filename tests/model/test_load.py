"""Sites out of text: every mistake at once, each with path and line, in words that help."""

import copy
import re
from pathlib import Path

import pytest

from multus_site.model.load import SiteError, load_stack_file, parse_site, parse_stack_text, site_data
from multus_site.model.paths import value_at
from multus_site.model.pydantic_errors import right_for
from multus_site.model.site import Site
from multus_site.model.yaml_documents import documents
from tests.lab.networks import stack_file

STACKS = Path(__file__).parents[2] / "stacks"

GOOD = """\
config:
  multus-site:site:
    name: dallas
    nodes:
      backend: container
      container: {image: localhost/node:1, networks: {eth0: management}}
      hosts:
        node1: {address: 10.1.1.5, roles: [control-plane, etcd, worker]}
    networks:
      internal: {type: macvlan, master: ens6, ipam: {type: none}}
    workloads:
      router: {image: docker.io/library/busybox:1.36, networks: [internal]}
"""


def mistakes(text):
    with pytest.raises(SiteError) as error:
        parse_stack_text(text, source="stacks/Pulumi.dallas.yaml")
    return str(error.value).splitlines()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("networks: [internal]", "networks: [internal], command: curl -u me:CANARY http://x", "router.command: a text does not fit; write a list such as"),
        ("networks: [internal]", "networks: [internal], command: [sleep, 998877]", "command[1]: a number does not fit; write text, in quotes\n"),
        ("networks: [internal]", "networks: [internal], readinessProbe: {exec: check CANARY}", "exec: a text does not fit; write a list such as"),
        ("networks: [internal]", "networks: [internal], livenessProbe: {tcpSocket: CANARY}", "tcpSocket: a text does not fit; write a whole number"),
        ("networks: [internal]", "networks: [internal], livenessProbe: {httpGet: ':1/', periodSeconds: 998877}", "periodSeconds: a number is out of bounds"),
        ("    networks:\n", "    kubespray: {variables: registry CANARY}\n    networks:\n", "variables: a text does not fit; write a mapping"),
        ("    networks:\n", "    networks:\n      lan: {type: raw, config: CANARY}\n", "config: a text does not fit; write a mapping"),
        ("    networks:\n", "    networks:\n      lan: {type: raw, config: {}, annotations: {a: 998877}}\n", "annotations.a: a number does not fit"),
    ],
)  # fmt: skip
def test_what_may_hold_a_secret_is_not_shown(old, new, words):
    assert GOOD.count(old) == 1
    with pytest.raises(SiteError) as error:
        parse_stack_text(GOOD.replace(old, new), source="x")
    assert words in f"{error.value}\n"
    assert "CANARY" not in str(error.value)
    assert "998877" not in str(error.value)


def test_a_good_one():
    assert isinstance(parse_stack_text(GOOD, source="x"), Site)


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("name: dallas", "name: Dallas", 3, "name: 'Dallas' is not a DNS label"),
        ("    name: dallas\n", "", 2, "name: missing; write text"),
        ("name: dallas", "name: [dallas]", 3, "name: a list does not fit; write text"),
        ("name: dallas", "nmae: x\n    name: dallas", 3, "nmae: unknown key; did you mean name?"),
        ("backend: container", "backend: podman", 5, "nodes.backend: 'podman' is not known here; write one of"),
        ("      backend: container\n", "", 4, "nodes.backend: missing; write one of"),
        ("10.1.1.5", "10.1.1.500", 8, "nodes.hosts.node1.address: '10.1.1.500' is not an IP address"),
        (
            "{eth0: management}",
            "{eth0: my net}",
            6,
            "nodes.container.networks.eth0: 'my net' is not a name for podman; use",
        ),
        (
            "{eth0: management}",
            "{eth0: --privileged}",
            6,
            "nodes.container.networks.eth0: '--privileged' is not a name",
        ),
        (
            "{eth0: management}",
            "{eth0: m, 'en,s6': n}",
            6,
            "nodes.container.networks[\"en,s6\"]: 'en,s6' is not a name",
        ),
        (
            "{eth0: management}",
            "{eth0: m, 'e*': n}",
            6,
            "nodes.container.networks[\"e*\"]: 'e*' is not a name for podman",
        ),
        ("{eth0: management}", "{eth0: m, e23456789012345x: n}", 6, "nodes.container.networks.e23456789012345x: 'e2"),
        (
            "{eth0: management}}",
            "{eth0: m}, cpus: .inf}",
            6,
            "nodes.container.cpus: Infinity does not fit; write a number",
        ),
        ("{eth0: management}}", "{eth0: m}, cpus: .nan}", 6, "nodes.container.cpus: NaN does not fit; write a number"),
        (
            "backend: c",
            "ssh: {user: ../x}\n      backend: c",
            5,
            "nodes.ssh.user: '../x' is not the name of a user; write",
        ),
        (
            "backend: c",
            'ssh: {user: "DOMAIN\\\\ops"}\n      backend: c',
            5,
            "nodes.ssh.user: 'DOMAIN\\\\ops' is not a valid user name for created machines",
        ),
        (
            "backend: c",
            "ssh: {bastion: {host: jump.example, user: a b, hostKey: x}}\n      backend: c",
            5,
            "nodes.ssh.bastion.user: 'a b' is not the name of a user; write",
        ),
        ("10.1.1.5", "fd00::1%eth0", 8, "nodes.hosts.node1.address: 'fd00::1%eth0' has a zone (%eth0), and each"),
        ("10.1.1.5", "fe80::1%eth0", 8, "nodes.hosts.node1.address: 'fe80::1%eth0' is a link-local address, which"),
        ("10.1.1.5", "224.0.0.1", 8, "nodes.hosts.node1.address: '224.0.0.1' is a multicast address; write the one"),
        ("etcd, worker", "etcd, master", 8, 'nodes.hosts.node1.roles[2]: "master" is not known here; write one of'),
        ("node1:", "Node_1:", 8, "nodes.hosts.Node_1: 'Node_1' is not a DNS label"),
        ("master: ens6", "mastre: ens6", 10, "networks.internal.mastre: unknown key; did you mean master?"),
        (", master: ens6", "", 10, "networks.internal.master: missing; write text such as ens6, or a mapping"),
        ("networks: [internal]", "networks: [Net]", 12, "workloads.router.networks[0]: 'Net' is not a DNS label"),
        (
            "    networks:\n",
            "    links: {ens7.110: {type: vlan, link: ens7, id: 110, nodes: [node9]}}\n    networks:\n",
            9,
            "links[\"ens7.110\"].nodes[0]: there is no host 'node9'; name one of node1",
        ),
        ("internal: {type: macvlan, ", "7: {type: macvlan, segment: core, ", 10, "networks.7.segment: there is no"),
        ("type: none", "type: nothing", 10, "networks.internal.ipam.type: 'nothing' is not known here; write one of"),
        (
            "master: ens6",
            "master: ens6, mtu: 100",
            10,
            "networks.internal.mtu: 100 is out of bounds; write a whole number from",
        ),
        (
            "networks: [internal]",
            "networks: [external]",
            12,
            "workloads.router.networks[0]: there is no network 'external'; name one of internal, or add it to networks",
        ),
        (
            "networks: [internal]",
            "networks: internal",
            12,
            'workloads.router.networks: "internal" does not fit; write a list',
        ),
        (
            "busybox:1.36",
            "busybox:latest",
            12,
            "workloads.router.image: 'docker.io/library/busybox:latest' may be another image tomorrow",
        ),
        (
            "roles: [control-plane, etcd, worker]",
            "roles: [worker]",
            7,
            "nodes.hosts: no host has the role control-plane",
        ),
        (
            "ipam: {type: none}",
            "ipam: {type: none}, segment: core",
            10,
            "networks.internal.segment: there is no segment 'core'",
        ),
    ],
)
def test_mistake(old, new, line, words):
    text = GOOD.replace(old, new)
    assert text != GOOD
    assert any(m.startswith(f"stacks/Pulumi.dallas.yaml:{line}: {words}") for m in mistakes(text)), mistakes(text)


def described(schema):
    """The schemas of all values that a site's file can have, with their paths in the schema."""
    for name, part in [("", schema), *schema["$defs"].items()]:
        for key, value in part.get("properties", {}).items():
            yield f"{name}.{key}", value
            for inner in ("items", "additionalProperties"):
                if isinstance(value.get(inner), dict):
                    yield f"{name}.{key}.{inner}", value[inner]


def test_every_value_of_a_site_has_words_for_what_would_be_right():
    right = {path: right_for(schema) for path, schema in described(Site.model_json_schema())}
    assert len(right) > 200
    assert [
        path for path, words in right.items() if not re.match(r"write (one of |a |text|true or false)", words)
    ] == []
    assert right["Macvlan.master"].startswith("write text such as ens6, or a mapping (key: value) such as {'groups': ")
    assert (
        right["Workload.networks.items"] == "write text such as macvlan-internal, or a mapping (key: value) with name"
    )


def paths_in(data, path=()):
    yield path
    parts = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in parts:
        yield from paths_in(value, (*path, key))


def with_odd_values(data):
    """The site with each of its values in turn replaced by one that may not belong there."""
    for *above, last in list(paths_in(data))[1:]:
        for odd in (None, 5, 1.5, True, "x", "", [], {}, [5], ["x", "x"], {"a": 1}, {"type": "x"}, {"type": "none"}):
            site = copy.deepcopy(data)
            value_at(site, above)[last] = odd
            yield site


def test_every_mistake_says_what_would_be_right_and_is_in_the_file():
    told = 0
    data = site_data(next(documents((STACKS / "Pulumi.lab.yaml").read_text())).data())
    for site in with_odd_values(data):
        try:
            parse_site(site, source="x")
        except SiteError as error:
            for mistake, _ in error.mistakes:
                found, _, right = mistake.message.partition("; ")
                assert found, mistake
                assert re.match(r"\w(?!.*\ba value\b)", right), mistake
                assert mistake.path[:-1] in set(paths_in(site)), mistake
                told += 1
    assert told > 500


def test_all_mistakes_at_once_in_the_order_of_the_file():
    text = (
        GOOD.replace("dallas", "Dallas")
        .replace("10.1.1.5", "10.1.1")
        .replace("ens6", "far-too-long-a-name")
        .replace("[internal]", "[external]")
    )
    found = mistakes(text)
    assert [line.split(": ")[1] for line in found] == [
        "name",
        "nodes.hosts.node1.address",
        "networks.internal.master",
        "workloads.router.networks[0]",
    ]


@pytest.mark.parametrize("key", ["ssh-ed25519 AAAA…", "ssh-ed25519 !", "ssh-ed25519 AAAAC3NzaC1"])
def test_a_damaged_host_key(key):
    host = "node1: {address: 10.1.1.5, "
    assert host in GOOD
    (found,) = mistakes(GOOD.replace(host, f'{host}hostKey: "{key}", '))
    assert "host key is damaged; print it again with: ssh-keyscan" in found


def test_half_a_character_in_a_site_of_json():
    text = "config:\n  multus-site:site: '" + '{"name": "\\ud800"}' + "'\n"
    assert all(line.encode() for line in mistakes(text))


def test_a_list_whose_entries_are_wrong_is_not_called_empty():
    text = GOOD.replace("ipam: {type: none}", "ipam: {type: host-local, ranges: [{subnet: 10.1.10.5/24}]}")
    assert len(mistakes(text)) == 1
    assert "ranges: is empty" in mistakes(GOOD.replace("ipam: {type: none}", "ipam: {type: host-local, ranges: []}"))[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("config: [\n", "site: not YAML"),
        ("config: {}\n", "site: missing"),
        ("", "site: missing"),
        ("config: {multus-site:site: 5}\n", "does not fit"),
    ],
)
def test_no_site_at_all(text, words):
    assert words in mistakes(text)[0]


def test_without_text_there_is_no_line():
    with pytest.raises(SiteError) as error:
        parse_site({"name": "Dallas"}, source="config")
    assert str(error.value).splitlines()[0].startswith("config: name: 'Dallas'")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(SiteError, match="cannot be read"):
        load_stack_file(tmp_path / "Pulumi.none.yaml")


def test_as_pulumi_writes_objects(tmp_path: Path):
    file = tmp_path / "Pulumi.dallas.yaml"
    file.write_text(GOOD)
    site = load_stack_file(file)
    text = "config:\n  multus-site:site: '" + site.model_dump_json(by_alias=True, exclude_none=True) + "'\n"
    assert parse_stack_text(text, source="x") == site


KUBESPRAY = [
    (
        "path: ../k, archive: {url: k.tgz, sha256: %s}" % ("a" * 64),
        "kubespray.archive: path is set too",
    ),
    ("path: ../k, commit: %s" % ("a" * 40), "kubespray.commit: pins the git tag, which path or archive replaces"),
    ("commit: abc", "kubespray.commit: 'abc' is not a commit; write its 40 digits"),
    (
        "archive: {url: 'ftp://x/k.tgz', sha256: %s}" % ("a" * 64),
        "kubespray.archive.url: 'ftp://x/k.tgz' is neither an http(s) address nor a path",
    ),
    ("archive: {url: k.tgz}", "kubespray.archive.sha256: missing"),
    ("podCidr: 10.0.0.1/16", "kubespray.podCidr: '10.0.0.1/16' has host bits set"),
    (
        "kubernetesVersion: v1.35.4",
        "kubespray.kubernetesVersion: 'v1.35.4' is not a version; write three numbers such as 1.35.4",
    ),
    *(
        (
            f"variables: {{kube_version: {given}}}",
            "kubespray.variables.kube_version: not a version; write three numbers in quotes such as '1.34.3'",
        )
        for given in ("1.35", "v1.34.3", "latest", "[1]", "", '"1.34.3\\n"')
    ),
    ("networkPlugin: calicoo", "did you mean calico?"),
    ("apiServer: 'api.example:6443'", "kubespray.apiServer: 'api.example:6443' is neither an address nor a DNS name"),
    (
        "podCidr: 10.0.0.0/16, variables: {kube_pods_subnet: 10.0.0.0/16}",
        "kubespray.variables.kube_pods_subnet: sets the same as kubespray.podCidr",
    ),
]


@pytest.mark.parametrize(("given", "words"), KUBESPRAY)
def test_kubespray_says_each_thing_once_and_right(given, words):
    assert any(
        words in line for line in mistakes(GOOD.replace("    nodes:", f"    kubespray: {{{given}}}\n    nodes:", 1))
    )


def test_typed_settings_are_kubespray_s_variables():
    given = "kubernetesVersion: 1.35.4, networkPlugin: calico, podCidr: 10.0.0.0/16, variables: {kube_proxy_mode: ipvs}"
    site = parse_stack_text(GOOD.replace("    nodes:", f"    kubespray: {{{given}}}\n    nodes:", 1), source="x")
    assert site.kubespray.all_variables() == {
        "kube_version": "1.35.4",
        "kube_network_plugin": "calico",
        "kube_pods_subnet": "10.0.0.0/16",
        "kube_proxy_mode": "ipvs",
    }


def test_a_site_is_the_same_site_after_it_was_written_down(tmp_path):
    """As the verification and the throughput get it: every default in it."""
    text = stack_file(tmp_path / "Pulumi.lab.yaml").read_text()
    site = parse_stack_text(text, source="Pulumi.lab.yaml")
    assert Site.model_validate(site.model_dump(mode="json", by_alias=True)) == site
