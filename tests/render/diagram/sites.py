"""Sites to draw: the lab's, and one of fifty nodes in racks with several kinds of networks."""

from multus_site.model.load import load_stack_file
from multus_site.model.site import Site
from tests.lab.running import PROJECT

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMMBiOX5o5vhHt6iyc5/g8YeZZ4gvCxLKOYupGSW5Sv/"
IMAGE = "docker.io/library/busybox:1.36"


def lab():
    """The lab's site."""
    return load_stack_file(PROJECT / "stacks" / "Pulumi.lab.yaml")


def host_local(subnet, start, end, gateway):
    """An address management of one range."""
    return {
        "type": "host-local",
        "ranges": [{"subnet": subnet, "rangeStart": start, "rangeEnd": end, "gateway": gateway}],
    }


def hosts(count, racks=4):
    """So many hosts, the first three of them control plane, spread over racks."""
    return {
        f"node{i:02}": {
            "address": f"10.1.{i // 250}.{i % 250 + 4}",
            "hostKey": KEY,
            **({"rack": f"r{(i - 1) % racks + 1}"} if racks else {}),
            **({"roles": ["control-plane", "etcd", "worker"]} if i <= 3 else {}),
        }
        for i in range(1, count + 1)
    }


def large(count=50, racks=4, **changes):
    """A site of many nodes, five segments, six networks, four workloads."""
    data = {
        "name": "dallas",
        "nodes": {"backend": "existing", "hosts": hosts(count, racks)},
        "segments": {
            "signalling": {"vlan": 110, "vips": {"router": "10.20.0.2"}},
            "media": {"vlan": 120},
            "oam": {"vlan": 130, "reserved": {"dhcp": "10.40.0.100-10.40.0.149"}},
        },
        "networks": {
            "sig-a": {
                "type": "macvlan",
                "master": "ens6.110",
                "segment": "signalling",
                "ipam": host_local("10.20.0.0/24", "10.20.0.10", "10.20.0.99", "10.20.0.1"),
            },
            "sig-b": {
                "type": "macvlan",
                "master": "ens6.110",
                "segment": "signalling",
                "mode": "private",
                "ipam": host_local("10.20.0.0/24", "10.20.0.100", "10.20.0.199", "10.20.0.1"),
            },
            "media": {
                "type": "macvlan",
                "master": "ens7.120",
                "mtu": 9000,
                "segment": "media",
                "ipam": host_local("10.30.0.0/20", "10.30.1.0", "10.30.9.255", "10.30.0.1"),
            },
            "oam": {
                "type": "macvlan",
                "master": "ens8",
                "segment": "oam",
                "ipam": host_local("10.40.0.0/24", "10.40.0.10", "10.40.0.90", "10.40.0.1"),
            },
            "l2": {"type": "macvlan", "master": "ens9", "ipam": {"type": "none"}},
            "lan": {
                "type": "raw",
                "config": {
                    "cniVersion": "1.0.0",
                    "name": "lan",
                    "type": "bridge",
                    "bridge": "br-lan",
                    "ipam": {"type": "host-local", "subnet": "10.88.0.0/16"},
                },
            },
        },
        "workloads": {
            "sbc": {"image": IMAGE, "replicas": 12, "networks": ["sig-a", "media"]},
            "cscf": {"image": IMAGE, "replicas": 6, "networks": ["sig-b", "oam"]},
            "mrf": {"image": IMAGE, "replicas": 20, "networks": ["media", "oam", "l2"]},
            "probe": {"image": IMAGE, "replicas": 2, "networks": ["lan"], "nodes": ["node02"]},
        },
    }
    return Site.model_validate({**data, **changes})
