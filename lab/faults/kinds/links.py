"""Faults of wires, NICs and addresses: what the network around the pods does."""

from collections.abc import Iterator

from lab.faults.bench import GATEWAYS, Bench
from lab.faults.registry import OWNER, UP, fault

THIEF = "02:00:00:00:00:66"
NODE = "node2"
HOSTS_KEY = "/etc/ssh/ssh_host_ed25519_key"


@fault("gateway-gone", "a gateway's address removed", restored_by=OWNER, verify="nobody answers for 10.1.10.1")
def gateway_gone(lab: Bench) -> Iterator[None]:
    bridge = lab.bridge("internal")
    lab.ip("addr", "del", f"{GATEWAYS['internal']}/24", "dev", bridge)
    yield
    lab.ip("addr", "replace", f"{GATEWAYS['internal']}/24", "dev", bridge)


@fault("gateway-twice", "a second host with the gateway's address", restored_by=OWNER, verify=rf"gateway-arp.*{THIEF}")
def gateway_twice(lab: Bench) -> Iterator[None]:
    with lab.host("internal", "thief", address=f"{GATEWAYS['internal']}/24", mac=THIEF):
        yield


@fault("address-stolen", "a host outside takes a pod's address", restored_by=OWNER, verify=f"unique-address.*{THIEF}")
def address_stolen(lab: Bench) -> Iterator[None]:
    with lab.host("internal", "thief", address=f"{lab.attachment()['ips'][0]}/24", mac=THIEF):
        yield


@fault("mac-twice", "a host outside has a pod's MAC and another address", restored_by=OWNER, verify="(?i)MAC")
def mac_twice(lab: Bench) -> Iterator[None]:
    with lab.host("internal", "thief", address="10.1.10.190/24", mac=lab.attachment()["mac"]):
        lab.run("ip", "netns", "exec", "thief", "ping", "-c", "2", "-W", "1", GATEWAYS["internal"])
        yield


@fault("mac-and-address-twice", "a host outside has a pod's MAC and its address", restored_by=OWNER, verify="(?i)MAC")
def mac_and_address_twice(lab: Bench) -> Iterator[None]:
    entry = lab.attachment()
    with lab.host("internal", "thief", address=f"{entry['ips'][0]}/24", mac=entry["mac"]):
        yield


@fault("segments-joined", "a cable between two segments", restored_by=OWNER, verify="isolation")
def segments_joined(lab: Bench) -> Iterator[None]:
    try:
        lab.ip("link", "add", "cable0", "type", "veth", "peer", "name", "cable1")
        lab.ip("link", "set", "cable0", "master", lab.bridge("internal"), "up")
        lab.ip("link", "set", "cable1", "master", lab.bridge("external"), "up")
        yield
    finally:
        lab.ip("link", "del", "cable0")


@fault("mtu-lowered", "MTU of node2's ens6 set to 1400", restored_by=UP, verify="ens6 uplink.*1400", drift="ens6 MTU")
def mtu_lowered(lab: Bench) -> Iterator[None]:
    lab.on(NODE, "ip link set ens6 mtu 1400")
    yield


@fault("nic-down", "node2's ens6 set down", restored_by=UP, verify="ens6 uplink", drift="ens6")
def nic_down(lab: Bench) -> Iterator[None]:
    lab.on(NODE, "ip link set ens6 down")
    yield
    lab.on(NODE, "ip link set ens6 up")


@fault("no-carrier", "the switch port of node2's ens7 goes down", restored_by=OWNER, verify="(?i)carrier")
def no_carrier(lab: Bench) -> Iterator[None]:
    port = lab.port(NODE, "ens7")
    lab.ip("link", "set", port, "down")
    yield
    lab.ip("link", "set", port, "up")


@fault("unplugged", "the switch port of node2's ens6 is taken out of the segment", restored_by=OWNER, verify="gateway")
def unplugged(lab: Bench) -> Iterator[None]:
    port = lab.port(NODE, "ens6")
    lab.ip("link", "set", port, "nomaster")
    yield
    lab.ip("link", "set", port, "master", lab.bridge("internal"))


@fault("nic-renamed", "node2's ens7 gets another name", restored_by=OWNER, verify="ens7 uplink", drift="ens7")
def nic_renamed(lab: Bench) -> Iterator[None]:
    lab.on(NODE, "ip link set ens7 down; ip link set ens7 name wan0; ip link set wan0 up")
    yield
    back = "ip link show wan0 >/dev/null 2>&1 || exit 0; ip link set wan0 down; ip link set wan0 name ens7; ip link set ens7 up"
    lab.on(NODE, back)


@fault("pod-address-lost", "the address of a pod's net1 flushed", restored_by=OWNER, verify="net1 address")
def pod_address_lost(lab: Bench) -> Iterator[None]:
    lab.in_pod("ip addr flush dev net1")
    yield
    lab.new_pod()


@fault("pod-link-down", "a pod's net2 set down", restored_by=OWNER, verify="net2")
def pod_link_down(lab: Bench) -> Iterator[None]:
    lab.in_pod("ip link set net2 down")
    yield
    lab.new_pod()


@fault("pod-link-gone", "a pod's net1 deleted", restored_by=OWNER, verify="net1")
def pod_link_gone(lab: Bench) -> Iterator[None]:
    lab.in_pod("ip link del net1")
    yield
    lab.new_pod()


@fault("wrong-host-key", "node2 answers SSH with another key", restored_by=OWNER, drift="(?i)host key")
def wrong_host_key(lab: Bench) -> Iterator[None]:
    public = f"{HOSTS_KEY}.pub"
    lab.on(
        NODE,
        f"cp -p {HOSTS_KEY} /root/kept; cp -p {public} /root/kept.pub; rm {HOSTS_KEY} {public}; ssh-keygen -q -t ed25519 -N '' -f {HOSTS_KEY}; systemctl restart ssh",
    )
    yield
    lab.on(
        NODE,
        f"test ! -e /root/kept || {{ mv /root/kept {HOSTS_KEY}; mv /root/kept.pub {public}; systemctl restart ssh; }}",
    )


@fault("login-refused", "node2 refuses the site's SSH key", restored_by=OWNER, drift="(?i)denied|refuse")
def login_refused(lab: Bench) -> Iterator[None]:
    lab.on(NODE, "mv /root/.ssh/authorized_keys /root/.ssh/kept")
    yield
    lab.on(NODE, "test ! -e /root/.ssh/kept || mv /root/.ssh/kept /root/.ssh/authorized_keys")


@fault("ssh-stopped", "node2's sshd stopped", restored_by=OWNER, drift="node2")
def ssh_stopped(lab: Bench) -> Iterator[None]:
    lab.on(NODE, "systemctl stop ssh")
    yield
    lab.on(NODE, "systemctl start ssh")
