"""A node, a pod and what was seen in it, all as they should be; tests change one thing at a time."""

import json

from multus_site.verify.checks import Check
from multus_site.verify.expectation import Expectation, ExpectedInterface, ExpectedNode, ExpectedRange, ExpectedWorkload
from multus_site.verify.leaks import MultusSeen, NodeAudit
from multus_site.verify.observed import Address, Dns, Inside, Link, NodeSeen, Ping, PodSeen, Reach
from multus_site.verify.result import judged

RANGE = ExpectedRange(subnet="10.1.10.0/24", start="10.1.10.200", end="10.1.10.250", gateway="10.1.10.1")
NET1 = ExpectedInterface(
    interface="net1",
    network="default/internal",
    ranges=(RANGE,),
    mtu=1500,
    kind="macvlan",
    mode="bridge",
    uplink="ens6",
    segment="ens6/0",
)
OTHER_RANGE = ExpectedRange(subnet="10.1.20.0/24", start="10.1.20.200", end="10.1.20.250", gateway="10.1.20.1")
NET2 = NET1.model_copy(
    update={
        "interface": "net2",
        "network": "default/external",
        "ranges": (OTHER_RANGE,),
        "uplink": "ens7",
        "segment": "ens7/0",
    }
)
WORKLOAD = ExpectedWorkload(name="samplepod", namespace="default", replicas=1, interfaces=(NET1,))
NODES = (ExpectedNode(name="node2", plugins={"macvlan": "a" * 64}, uplinks={"ens6": 1500}),)
GATEWAY = "02:00:00:00:00:01"
CONF = json.dumps({"type": "multus-shim", "name": "multus-cni-network", "clusterNetwork": "/run/folder"})
NETWORK = json.dumps({"name": "cbr0", "cniVersion": "0.3.1", "plugins": [{"type": "bridge"}]})
DNS = Dns(name="kubernetes.default.svc.cluster.local", server="10.233.0.3", address="10.233.0.1")
ROUTES = ({"dst": "default", "gateway": "10.233.65.1", "dev": "eth0"},)
GOOD_PING = Ping(sent=3, received=3, ms=(0.07, 0.08, 0.09))


def link(**changes):
    whole = Link(
        name="net1",
        up=True,
        carrier=True,
        mtu=1500,
        mac="7a:00:00:00:00:01",
        kind="macvlan",
        mode="bridge",
        parent=7,
        addresses=(Address(address="10.1.10.200", prefix=24),),
    )
    return whole.model_copy(update=changes)


def held(*addresses, prefix=24):
    return tuple(Address(address=a, prefix=prefix) for a in addresses)


def reach(**changes):
    whole = Reach(
        arp={"10.1.10.1": (GATEWAY,)},
        others={"10.1.10.200": ()},
        ping={"10.1.10.1": GOOD_PING},
        path={"10.1.10.1": 1500},
    )
    return whole.model_copy(update=changes)


def pod(name="samplepod-1", *, seen=None, reached=None, status=None, inside=None, **changes):
    entries = [{"name": "default/internal", "interface": "net1"}] if status is None else status
    whole = Inside(links={"net1": seen or link()}, routes=ROUTES, interfaces={"net1": reached or reach()}, dns=DNS)
    return PodSeen(
        **{
            "workload": "samplepod",
            "name": name,
            "node": "node2",
            "uid": name,
            "network_status": json.dumps(entries) if entries != "" else "",
            "inside": inside or whole,
            **changes,
        }
    )


def audit(**changes):
    whole = NodeAudit(
        sandboxes=("a" * 64,),
        reserved={"cbr0": ("10.233.65.2",)},
        multus=MultusSeen(
            conf=CONF, version="multus-shim: version:v4.3.0", network=NETWORK, network_file="10-flannel.conflist"
        ),
    )
    return whole.model_copy(update=changes)


def node(**changes):
    whole = NodeSeen(
        files=("00-multus.conf", "10-flannel.conflist", "multus.d"),
        multus_conf=CONF,
        binaries={"macvlan": "a" * 64},
        links=(Link(name="ens6", up=True, carrier=True, mtu=1500, mac="02:00:00:00:00:06"),),
        names={1: "lo", 7: "ens6"},
        daemon="kube-multus-ds-x",
        daemon_ready=True,
        audit=audit(),
    )
    return whole.model_copy(update=changes)


def checks(pods, *, seen=None, workload=WORKLOAD, more=(), asked=None, attachments=None, allocated=(), existing=()):
    expected = Expectation(workloads=(workload, *more), nodes=NODES, attachments=asked or {})
    return judged(expected, {"node2": seen or node()}, list(pods), attachments or {}, allocated, existing)


def failed(found: list[Check]) -> list[str]:
    return [c.check for c in found if not c.ok]


def detail(found: list[Check]) -> str:
    return next(c.detail for c in found if not c.ok)
