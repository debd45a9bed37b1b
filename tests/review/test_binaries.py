"""Nodes whose plugin binaries one resource looks after: told are those that it goes to."""

import pytest

from multus_site.model.load import parse_site
from multus_site.review.binaries import binaries
from multus_site.review.data import Difference
from multus_site.review.effects import Change
from multus_site.review.preview import Preview, Step
from tests.graph.recording import CATALOG, lab_site

INSTALL = Step("update", "command:local:Command", "CniPlugins", "lab-cni-plugins-install", ("stdin",))


def facts(node, *paths):
    return Step("update", "command:remote:Command", "NodeVM", f"lab-{node}-facts", paths)


def changed(*steps, old=None, new=None, kubespray_runs=False):
    """Node → plugins that change, and why."""
    sites = [parse_site(data or lab_site(), source="a test") for data in (old, new)]
    found = binaries(Change(*sites, CATALOG, CATALOG), Preview(steps), kubespray_runs=kubespray_runs)
    return {node: ([moved.what for moved in one.plugins], one.why) for one in found for node in one.nodes}


def site_of(edit):
    site = lab_site()
    edit(site["nodes"]["hosts"])
    return site


def test_what_calico_put_there_is_not_taken_away():
    less = lab_site(cniPlugins={"plugins": ["macvlan"]})
    more = lab_site(cniPlugins={"plugins": ["macvlan", "portmap"]})
    sites = [parse_site(data, source="a test") for data in (more, less)]
    (one,) = binaries(Change(*sites, CATALOG, CATALOG), Preview((INSTALL,)), kubespray_runs=False)
    assert one.plugins == (Difference("portmap", "Calico's own", "no longer in the site; Calico keeps it"),)


def test_no_step_no_entry():
    assert changed(new=lab_site(cniPlugins={"plugins": ["macvlan", "bridge"]}), kubespray_runs=True) == {}


def test_a_new_node_and_one_that_leaves_and_nobody_else():
    new = site_of(lambda hosts: (hosts.pop("node2"), hosts.update(node4={"address": "10.1.1.8"})))
    new["workloads"] = {}
    assert changed(INSTALL, old=lab_site(workloads={}), new=new) == {
        "node2": (["macvlan"], "the node is removed from the site"),
        "node4": (["macvlan"], "the node is new"),
    }


def test_kubespray_reinstalls_on_every_node():
    found = changed(
        INSTALL, new=site_of(lambda hosts: hosts.update(node4={"address": "10.1.1.8"})), kubespray_runs=True
    )
    again = ([], "reinstalled: Kubespray unpacks its own archive over /opt/cni/bin")
    assert found == {"node1": again, "node2": again, "node3": again, "node4": (["macvlan"], "the node is new")}


def test_another_script_reinstalls_on_every_node():
    component = Step("update", "multus-site:index:CniPlugins", "", "lab-cni-plugins", ("script",))
    again = ([], "reinstalled: another version of multus-site delivers them")
    assert changed(component, INSTALL) == dict.fromkeys(("node1", "node2", "node3"), again)


@pytest.mark.parametrize("path", ["connection.privateKey", "connection.proxy.host"])
def test_another_way_to_nodes_goes_to_none(path):
    assert changed(INSTALL, facts("node1", path), facts("node2", path)) == {}


def test_a_node_that_is_checked_again_is_the_only_one():
    found = changed(INSTALL, facts("node1", "connection.privateKey"), facts("node2", "connection.privateKey", "stdin"))
    assert list(found) == ["node2"]
    assert found["node2"][0] == []
    assert "checked first" in found["node2"][1]


def test_only_nodes_of_an_architecture_whose_plugins_moved():
    def of_two(sha):
        site = site_of(lambda hosts: hosts["node3"].update(architecture="arm64"))
        binary = {"name": "macvlan", "url": "https://example.org/macvlan"}
        site["cniPlugins"]["binaries"] = [
            {**binary, "architecture": "amd64", "sha256": "a" * 64},
            {**binary, "architecture": "arm64", "sha256": sha * 64},
        ]
        return site

    assert changed(INSTALL, old=of_two("b"), new=of_two("c")) == {"node3": (["macvlan"], "the site's plugins changed")}
