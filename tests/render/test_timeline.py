"""Where time went: stages, and the chain that the length of an update is owed to."""

from multus_site.render.timeline import moment, stage_of, timeline

SITE = "urn:pulumi:lab::multus-site::multus-site:index:Site"
START = "2026-11-24T10:00:00.5Z"


def urn(component, name, kind="command:local:Command"):
    return f"{SITE}$multus-site:index:{component}${kind}::{name}"


def resource(component, name, second, *waits, **more):
    return {
        "urn": urn(component, name),
        "type": "command:local:Command",
        "custom": True,
        "dependencies": list(waits),
        "modified": f"2026-11-24T10:{second // 60:02}:{second % 60:02}.500000000Z",
        **more,
    }


MACHINE = resource("NodeVM", "node1-machine", 5)
OTHER = resource("NodeVM", "node2-machine", 7)
CLUSTER = resource("KubesprayCluster", "kubespray", 87, MACHINE["urn"], OTHER["urn"])
PLUGINS = resource("CniPlugins", "plugins", 88, CLUSTER["urn"])
POD = resource("Workload", "samplepod", 93, propertyDependencies={"spec": [PLUGINS["urn"]]})
OLD = {**resource("Multus", "multus", 50), "modified": "2026-11-23T10:00:00Z"}
ALL = [MACHINE, OTHER, CLUSTER, PLUGINS, POD, OLD]


def test_a_resource_begins_when_all_that_it_waits_for_is_done():
    found = timeline(ALL, START, "2026-11-24T10:01:40.5Z")
    spans = {s.name: (s.begun, s.seconds) for s in found.resources}
    assert spans == {
        "node1-machine": (0, 5),
        "node2-machine": (0, 7),
        "kubespray": (7, 80),
        "plugins": (87, 1),
        "samplepod": (88, 5),
    }
    assert found.seconds == 100


def test_an_update_of_less_than_a_second_is_as_long_as_its_resources():
    short = {**PLUGINS, "modified": "2026-11-24T10:00:00.9Z"}
    assert timeline([short], "2026-11-24T10:00:00Z", "2026-11-24T10:00:00Z").seconds == 0.9


def test_stages_stand_in_the_order_of_the_graph():
    found = timeline(ALL, START, None)
    assert [(s.name, s.begun, s.done) for s in found.stages] == [
        ("node VMs", 0, 7),
        ("cluster", 7, 87),
        ("CNI plugins", 87, 88),
        ("workloads", 88, 93),
    ]
    assert found.seconds == 93


def test_the_length_is_owed_to_the_longest_chain():
    names = [s.name for s in timeline(ALL, START, None).critical]
    assert names == ["node2-machine", "kubespray", "plugins", "samplepod"]


def test_what_an_earlier_update_did_does_not_count():
    assert "multus" not in {s.name for s in timeline(ALL, START, None).resources}
    assert timeline([OLD], START, None) is None


def test_a_child_waits_for_what_its_component_waits_for():
    component = {
        "urn": urn("Multus", "m").rpartition("$")[0] + "::m",
        "custom": False,
        "dependencies": [CLUSTER["urn"]],
    }
    child = resource("Multus", "crd", 90, parent=component["urn"])
    found = timeline([*ALL, component, child], START, None)
    assert next(s for s in found.resources if s.name == "crd").begun == 87


def test_pulumi_s_instants_are_read():
    assert moment("2026-11-24T10:00:00.123456789Z").microsecond == 123456
    assert moment("2026-11-24T10:00:00.5+01:00").utcoffset().seconds == 3600
    assert moment("2026-11-24T10:00:00Z").second == 0


def test_what_is_in_no_component_of_a_stage_is_the_site_s():
    assert stage_of(f"{SITE}$pulumi:providers:command::x") == "site"
    assert stage_of(urn("Multus", "crd")) == "Multus"
