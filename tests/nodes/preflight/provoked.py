"""How to provoke each finding on a real host or by the site, and the line that reports it."""


def moved(path):
    return f"mv {path} {path}.away", f"mv {path}.away {path}"


RELEASE = "/usr/lib/os-release"
CLUSTER = "mkdir -p /etc/kubernetes; echo '    server: https://192.0.2.7:6443' >/etc/kubernetes/kubelet.conf"
LISTEN = (
    "systemd-run -q --unit squatter python3 -c 'import http.server; http.server.HTTPServer((\"\", 10250), None).serve_forever()'; "
    "until ss -Hltn 'sport = :10250' | grep -q .; do sleep 0.1; done"
)
ON_HOST = {
    "HOSTNAME_DIFFERS": (
        ("hostname localhost", "hostname node2"),
        "node2: the host name is localhost; the site needs node2 (HOSTNAME_DIFFERS). Fix: hostnamectl set-hostname node2",
    ),
    "OS_UNSUPPORTED": (
        (f"cp {RELEASE} /root/kept; printf 'ID=alpine\\nPRETTY_NAME=\"Alpine Linux v3.20\"\\n' >{RELEASE}", f"cp /root/kept {RELEASE}"),
        "node2: the operating system is Alpine Linux v3.20, which Kubespray does not support (OS_UNSUPPORTED). Fix: install a supported system, "
        "such as Debian, Ubuntu, Rocky or AlmaLinux; or set kubespray.variables.allow_unsupported_distribution_setup: true at your own risk",
    ),
    "PYTHON_MISSING": (
        moved("/usr/bin/python3"),
        "node2: python3 is not installed; Ansible needs 3.8 or later (PYTHON_MISSING). Fix: apt-get install python3",
    ),
    "DISK_FULL": (
        ("mount -t tmpfs -o size=64m none /var", "umount /var"),
        "node2: /var has 64 MiB free; the images of a cluster need 3 GiB (DISK_FULL). "
        "Fix: free space in /var, or give it a disk of its own; 10 GiB or more is recommended",
    ),
    "MACHINE_ID_MISSING": (
        ("cp /etc/machine-id /root/kept; : >/etc/machine-id", "cat /root/kept >/etc/machine-id"),
        "node2: /etc/machine-id is empty; the site needs an ID for each host (MACHINE_ID_MISSING). Fix: systemd-machine-id-setup",
    ),
    "CLOCK_DIFFERS": (
        ("printf '#!/bin/sh\\nexec /bin/date -d \"-1 hour\" \"$@\"\\n' >/usr/local/bin/date; chmod 755 /usr/local/bin/date", "rm /usr/local/bin/date"),
        "node2: the clock is 3600 s behind the other hosts; the limit is 5 s (CLOCK_DIFFERS). Fix: timedatectl set-ntp true",
    ),
    "NIC_MISSING": (
        ("ip link set ens6 down; ip link set ens6 name enp4s0; ip link set enp4s0 up", "ip link set enp4s0 down; ip link set enp4s0 name ens6; ip link set ens6 up"),
        "node2: no interface ens6, which network media (macvlan) needs; found enp4s0, eth0 (NIC_MISSING). "
        "Fix: correct the name, or list the nodes that have it (`nodes` of the network or link)",
    ),
    "NIC_DOWN": (
        ("ip link set ens6 down", "ip link set ens6 up"),
        "node2: ens6 is down; network media (macvlan) needs it up (NIC_DOWN). Fix: find the cause: ip link set ens6 up; dmesg | grep ens6",
    ),
    "NIC_IN_USE": (
        ("ip link add br0 type bridge; ip link set ens6 master br0", "ip link delete br0"),
        "node2: ens6 is part of br0; network media (macvlan) needs the NIC itself (NIC_IN_USE). Fix: use br0 instead, or remove ens6 from it",
    ),
    "OTHER_CLUSTER": (
        (CLUSTER, "rm -r /etc/kubernetes"),
        "node2: /etc/kubernetes/kubelet.conf belongs to another cluster: https://192.0.2.7:6443 (OTHER_CLUSTER). Fix: remove the host from that "
        "cluster (kubectl drain, kubectl delete node, then kubeadm reset or Kubespray's remove-node.yml), or use another host",
    ),
    "CLUSTER_LEFTOVERS": (
        ("mkdir -p /var/lib/etcd/member", "rm -r /var/lib/etcd"),
        "node2: an earlier cluster left /var/lib/etcd/member (CLUSTER_LEFTOVERS). Fix: if you need none of it, run kubeadm reset --force "
        "(k3s-uninstall.sh, rke2-uninstall.sh, snap remove microk8s), or remove the files with rm -rf",
    ),
    "PORT_TAKEN": (
        (LISTEN, "systemctl stop squatter"),
        "node2: port 10250 is in use by python3; kubelet needs it (PORT_TAKEN). Fix: stop the program that ss -ltnp 'sport = :10250' shows",
    ),
}  # fmt: skip
"""Commands that provoke it on node2 and undo it, and the line."""

POOL = {"resourceName": "example.com/fast", "pfNames": ["ens6"], "numVfs": 8, "nodes": ["node2"]}
OF_THE_SITE = {
    "ARCHITECTURE_DIFFERS": (
        {"hosts": {"node2": {"architecture": "arm64"}}},
        "node2: the architecture is amd64; the site has arm64 (ARCHITECTURE_DIFFERS). Fix: set nodes.hosts.node2.architecture: amd64",
    ),
    "MEMORY_SMALL": (
        {"variables": {"minimal_node_memory_mb": 10**9}},
        "node1, node2: the host has {memory} MiB of memory; Kubespray requires 1000000000 MiB (MEMORY_SMALL). Fix: add memory, or lower "
        "kubespray.variables.minimal_node_memory_mb",
    ),
    "SRIOV_FUNCTIONS": (
        {"sriov": {"pools": {"fast": POOL}}},
        "node2: ens6 supports no SR-IOV; the site needs 8 virtual functions (SRIOV_FUNCTIONS). Fix: enable SR-IOV in the BIOS and the NIC's firmware, or lower "
        "sriov.pools.<name>.numVfs",
    ),
    "IOMMU_OFF": (
        {"sriov": {"pools": {"fast": {**POOL, "driver": "vfio-pci"}}}},
        "node2: no IOMMU is in use; a pool with driver vfio-pci needs one (IOMMU_OFF). "
        "Fix: enable VT-d or AMD-Vi in the BIOS; on Intel, boot with intel_iommu=on",
    ),
    "NIC_OWN": (
        {"links": {"bond0": {"type": "bond", "members": ["eth0"], "nodes": ["node2"]}}},
        "node2: eth0 has the node's own address; link bond0 (bond) would take the NIC and cut the node off (NIC_OWN). Fix: use another NIC",
    ),
}  # fmt: skip
"""Changes of the site that provoke it on unchanged hosts, and the line."""
