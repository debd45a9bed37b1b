"""What the kernel of most test machines lacks, in a machine of Debian's kernel: `make lab-vm`.

The real plugins there get what the project renders (the golden configurations), ADD, CHECK and DEL. Prints a line of JSON for each.
"""

import json
import time

import pytest

from tests.lint.test_real_plugins import PLUGINS
from tests.plugins import Place, run_through
from tests.render.test_networks_run import FOLDER, NAMES, ready
from tests.vm.guest import NoGuestError, guest

pytestmark = [
    pytest.mark.vm,
    pytest.mark.skipif(PLUGINS is None, reason="no CNI plugins in $CNI_PLUGINS nor built by the lab (make lab)"),
]

MADE_HERE = ("ipvlan", "vlan", "dummy", "bridge-vlan", "bridge-trunk", "macvlan-vrf", "macvlan-bridge")
"""What the lab's kernels lack; macvlan stands for what they have."""
CASES = [name for name in NAMES if name.startswith(MADE_HERE) and name not in {"vlan-in-pod", "ipvlan-l3"}]
"""Two are below, since they need something else around them."""
NODE = (
    "link set lo up", "link add eth0 type veth peer name peer0", "link add eth1 type veth peer name peer1", "link set eth0 up",
    "link set peer0 up", "link set eth1 up", "link set peer1 up", "addr add 10.9.7.2/24 dev eth0", "route add default via 10.9.7.1",
    "netns add pod", "-n pod link set lo up",
)  # fmt: skip


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    try:
        with guest(tmp_path_factory.mktemp("vm"), PLUGINS) as running:
            for command in NODE:
                status, _, words = running.run("/sbin/ip", *command.split())
                assert status == 0, f"ip {command}: {words}"
            yield running
    except NoGuestError as reason:
        pytest.skip(str(reason))


@pytest.fixture
def place(machine):
    def call(command, given):
        status, out, err = machine.run(
            f"/opt/cni/bin/{given['type']}",
            text=json.dumps(given),
            environment={
                "CNI_COMMAND": command,
                "CNI_CONTAINERID": "c",
                "CNI_NETNS": "/run/netns/pod",
                "CNI_IFNAME": "net1",
                "CNI_PATH": "/opt/cni/bin",
            },
        )
        answer = json.loads(out) if out.strip().startswith("{") else {}
        return status == 0, answer, answer.get("msg", "") + answer.get("details", "") + err

    def ip(*words):
        status, out, _ = machine.run("/sbin/ip", *words)
        return None if status else out

    return Place(call, ip, lambda *words: ip("-n", "pod", *words))


@pytest.mark.parametrize("name", CASES)
def test_the_real_plugins_take_it(name, place, capsys):
    begun = time.monotonic()
    shown, checked = run_through(ready(name, "/run/host-local"), place)
    kind = shown["linkinfo"]["info_kind"]
    with capsys.disabled():
        row = {"case": name, "kind": kind, "add": True, "check": checked, "del": True}
        print("\n" + json.dumps({**row, "seconds": round(time.monotonic() - begun, 1)}))
    assert kind == {"bridge": "veth"}.get(name.partition("-")[0], name.partition("-")[0])


def test_ipvlan_l3_without_the_api_server_of_its_whereabouts(place):
    config = json.loads((FOLDER / "ipvlan-l3.json").read_text())["config"]
    config["plugins"][0]["ipam"] = {"type": "static", "addresses": [{"address": "10.9.8.5/24"}]}
    shown, _ = run_through(config, place)
    assert shown["linkinfo"]["info_data"]["mode"] == "l3"


def test_the_check_of_a_dummy_that_is_in_a_network(place):
    """The golden one has a single address, with which its CHECK cannot succeed."""
    config = ready("dummy", "/run/host-local")
    config["plugins"][0]["ipam"]["addresses"] = [{"address": "10.9.8.5/24"}]
    assert run_through(config, place)[1] == ["dummy"]


def test_a_vlan_in_the_pod_s_own_interface(place):
    """`linkInContainer`: the master is what another attachment made in the pod; net0 here, since net1 is under test."""
    config = json.loads((FOLDER / "vlan-in-pod.json").read_text())["config"]
    config["plugins"][0]["master"] = "net0"
    assert place.ip_of_pod("link", "add", "net0", "type", "dummy") is not None
    try:
        place.ip_of_pod("link", "set", "net0", "up")
        shown, _ = run_through(config, place)
        assert (shown["linkinfo"]["info_kind"], shown["link"]) == ("vlan", "net0")
    finally:
        place.ip_of_pod("link", "del", "net0")
