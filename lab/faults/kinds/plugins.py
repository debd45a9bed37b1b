"""Faults of the files on a node: plugin binaries, configurations, disks."""

from collections.abc import Iterator

from lab.faults.bench import Bench
from lab.faults.registry import ITSELF, OWNER, UP, Fault, Provoke, add, fault

NODE = "node3"
BIN = "/opt/cni/bin"
KEPT = "/root/kept-plugin"


def _broken(name: str, script: str) -> Provoke:
    """Breaks a plugin on node3 by a script; afterwards it is as it was."""

    def provoke(lab: Bench) -> Iterator[None]:
        path = f"{BIN}/{name}"
        lab.on(NODE, f"cp -p {path} {KEPT}; {script.format(path=path)}")
        yield
        lab.on(
            NODE,
            f"cmp -s {KEPT} {path} && test -x {path} || {{ cp -p {KEPT} {path}.kept; mv {path}.kept {path}; }}; chown root:root {path}; rm {KEPT}",
        )

    return provoke


OURS = (
    ("plugin-deleted", "macvlan deleted", "macvlan", "rm {path}"),
    (
        "plugin-replaced",
        "another plugin stored under macvlan's name",
        "macvlan",
        "cp {path}/../bridge {path}.new; mv {path}.new {path}",
    ),
    (
        "plugin-cut",
        "half of macvlan",
        "macvlan",
        "head -c 1000000 {path} >{path}.new; chmod 755 {path}.new; mv {path}.new {path}",
    ),
    ("plugin-not-executable", "macvlan without its execute bit", "macvlan", "chmod 644 {path}"),
    (
        "plugin-of-another",
        "macvlan owned by another user, who may write to it",
        "macvlan",
        "chown daemon {path}; chmod 775 {path}",
    ),
)
THEIRS = (
    ("ipam-moved", "host-local moved away", "host-local", "rm {path}"),
    ("ipam-not-executable", "host-local without its execute bit", "host-local", "chmod 644 {path}"),
    ("bridge-moved", "bridge, which the cluster's own network needs, moved away", "bridge", "rm {path}"),
    ("flannel-moved", "flannel's plugin moved away", "flannel", "rm {path}"),
    ("loopback-moved", "loopback moved away", "loopback", "rm {path}"),
    ("portmap-moved", "portmap, a chained plugin of the cluster's own network, moved away", "portmap", "rm {path}"),
)
for _name, _what, _plugin, _script in OURS:
    _script = _script.replace("{path}/../", f"{BIN}/")
    add(
        Fault(
            _name,
            f"{_what} on {NODE}",
            _broken(_plugin, _script),
            {"verify": f"plugin-binary.*{_plugin}", "drift": _plugin},
            UP,
        )
    )
for _name, _what, _plugin, _script in THEIRS:
    add(Fault(_name, f"{_what} on {NODE}", _broken(_plugin, _script), {"verify": _plugin, "drift": _plugin}, OWNER))


@fault("shim-deleted", "multus-shim deleted on node3", restored_by=ITSELF, verify="multus-shim|shim")
def shim_deleted(lab: Bench) -> Iterator[None]:
    lab.on(NODE, f"cp -p {BIN}/multus-shim {KEPT}; rm {BIN}/multus-shim")
    yield
    lab.on(NODE, f"test -x {BIN}/multus-shim || cp -p {KEPT} {BIN}/multus-shim; rm {KEPT}")


@fault("conf-removed", "00-multus.conf removed on node3", restored_by=ITSELF, drift="00-multus.conf")
def conf_removed(lab: Bench) -> Iterator[None]:
    lab.on(NODE, "rm /etc/cni/net.d/00-multus.conf")
    yield


@fault(
    "conf-edited",
    "00-multus.conf edited on node3: it calls another plugin",
    restored_by=UP,
    verify="multus-conf",
    drift="00-multus.conf",
)
def conf_edited(lab: Bench) -> Iterator[None]:
    text = '{"cniVersion": "1.0.0", "name": "multus-cni-network", "type": "bridge"}'
    lab.on(NODE, "cp -p /etc/cni/net.d/00-multus.conf /root/kept-conf; cat >/etc/cni/net.d/00-multus.conf", given=text)
    yield
    restore = "grep -q multus-shim /etc/cni/net.d/00-multus.conf || cp -p /root/kept-conf /etc/cni/net.d/00-multus.conf; rm -f /root/kept-conf"
    lab.on(NODE, restore)


@fault(
    "foreign-conf", "a configuration that comes before 00-multus.conf on node3", restored_by=OWNER, verify="multus-conf"
)
def foreign_conf(lab: Bench) -> Iterator[None]:
    text = '{"cniVersion": "1.0.0", "name": "foreign", "type": "ptp"}'
    lab.on(NODE, "cat >/etc/cni/net.d/00-a.conf", given=text)
    yield
    lab.on(NODE, "rm -f /etc/cni/net.d/00-a.conf")


@fault(
    "disk-full-reservations",
    "no space left for reservations on node2, and a new pod",
    restored_by=OWNER,
    verify="replicas",
)
def disk_full(lab: Bench) -> Iterator[None]:
    folder = "/var/lib/cni/networks"
    lab.on(
        "node2",
        f"mount -t tmpfs -o size=4k,nr_inodes=3 full {folder}; mkdir -p {folder}/macvlan-internal; touch {folder}/full",
    )
    lab.must("kubectl", "delete", "pod", "-l", "app.kubernetes.io/name=samplepod", "--wait=false")
    yield
    lab.on("node2", f"while mountpoint -q {folder}; do umount -l {folder}; done")
    lab.new_pod()


@fault(
    "disk-full-plugins",
    "no space left in /opt/cni/bin on node3 for a plugin that is missing",
    restored_by=OWNER,
    up="(?i)no space",
    drift="macvlan",
)
def disk_full_plugins(lab: Bench) -> Iterator[None]:
    fill = (
        f"size=$(du -sk {BIN} | cut -f1); mkdir -p /root/over; mount -t tmpfs -o size=$((size + 64))k full /root/over; cp -a {BIN}/. /root/over/; "
        f"mount --move /root/over {BIN} 2>/dev/null || mount --bind /root/over {BIN}; rm {BIN}/macvlan; head -c 100M /dev/zero >{BIN}/full 2>/dev/null || true"
    )
    lab.on(NODE, fill)
    yield
    lab.on(
        NODE,
        f"while mountpoint -q {BIN}; do umount -l {BIN}; done; while mountpoint -q /root/over; do umount -l /root/over; done",
    )
