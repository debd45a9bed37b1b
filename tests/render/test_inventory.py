"""Kubespray's inventory of a site, against golden files. Written anew with: UPDATE_GOLDEN=1 pytest tests/render/test_inventory.py"""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from multus_site.model.site import Site
from multus_site.render.inventory import GROUPS, groups, host_variables, inventory, own_groups, variables

FOLDER = Path(__file__).parent / "inventories"
CASES = sorted(path.stem for path in FOLDER.glob("*.site.yaml"))


def site(case: str) -> Site:
    return Site.model_validate(YAML(typ="safe").load((FOLDER / f"{case}.yaml").read_text()))


def rendered(given: Site) -> dict[str, Any]:
    hosts = {name: host_variables(given, name, host) for name, host in given.nodes.hosts.items()}
    return inventory(hosts, groups(given), variables(given, given.kubespray.all_variables()), own_groups(given))


@pytest.mark.parametrize("case", CASES)
def test_golden(case: str) -> None:
    golden = FOLDER / f"{case.removesuffix('.site')}.inventory.json"
    text = json.dumps(rendered(site(case)), indent=2) + "\n"
    if os.environ.get("UPDATE_GOLDEN") == "1":
        golden.write_text(text)
    assert text == golden.read_text()


def test_there_are_cases() -> None:
    assert len(CASES) >= 2


def test_given_variables_win() -> None:
    given = site(CASES[0])
    assert variables(given, {"drain_grace_period": 60})["drain_grace_period"] == 60


@pytest.mark.parametrize(
    ("given_variables", "method"),
    [
        ({}, "kubernetes-internal-ip"),  # Kubespray's own choice is calico
        ({"kube_network_plugin": "calico"}, "kubernetes-internal-ip"),
        ({"calico_ip_auto_method": "interface=ens5"}, "interface=ens5"),
        ({"kube_network_plugin": "flannel"}, None),
    ],
)
def test_calico_is_told_which_interface(given_variables: dict[str, Any], method: str | None) -> None:
    assert variables(site(CASES[0]), given_variables).get("calico_ip_auto_method") == method


def test_order_is_the_files() -> None:
    given = site(CASES[0])
    assert groups(given)["kube_node"] == [name for name, host in given.nodes.hosts.items() if "worker" in host.roles]


def test_groups_of_the_sites_own_are_never_kubesprays() -> None:
    given = site("racks.site")
    assert not set(own_groups(given)) & {*GROUPS, "k8s_cluster", "calico_rr", "all", "ungrouped", "bastion"}
    assert rendered(given)["all"]["children"]["etcd"]["hosts"] == {"node1": {}}


def test_a_run_without_a_host_has_it_in_no_group() -> None:
    given = site("racks.site")
    made = inventory({"node1": {}}, {"kube_node": ["node1"]}, {}, own_groups(given))
    assert set(made["all"]["children"]) == {"kube_node", "rack_r1", "row_a", "zone_east"}
    assert {name for group in made["all"]["children"].values() for name in group["hosts"]} == {"node1"}
