"""The record that preflight leaves, and what the output `nodes` has of it."""

from multus_site.nodes.preflight.document import Record

KEPT = {"mtu": 1500, "driver": "virtio_net", "speed": None, "addresses": [], "kind": "physical"}
NICS = {
    "ens6": {**KEPT, "mac": "02:00:00:00:00:06", "pci": "0000:00:04.0", "altnames": ["enp0s4"]},
    "ens7": {**KEPT, "mac": "02:00:00:00:00:07", "pci": "0000:00:05.0", "altnames": []},
    "eth0": {**KEPT, "mac": "02:00:00:00:00:01", "pci": "0000:00:03.0", "altnames": []},
}
RECORD = Record({"node1": {"facts": {"nics": NICS}}})


def seen(name, *more):
    return {key: NICS[name][key] for key in ("mac", "mtu", "driver", "speed", *more)}


def test_nics_in_use_are_there_by_name_however_they_are_given():
    assert RECORD.nics_in_use("node1", ["ens7"]) == {"ens7": seen("ens7")}
    given = ["altname enp0s4", "mac 02:00:00:00:00:07", "pci 0000:00:04.0"]
    found = RECORD.nics_in_use("node1", given)
    assert found == {name: seen(name, "pci", "altnames") for name in ("ens6", "ens7")}
    # What the output has finds them again.
    assert Record({"node1": {"facts": {"nics": found}}}).nics_in_use("node1", given) == found


def test_what_is_not_there_is_left_out():
    assert RECORD.nics_in_use("node1", ["ens8", "pci 0000:00:09.0"]) == {}
    assert RECORD.nics_in_use("node2", ["ens6"]) == {}
