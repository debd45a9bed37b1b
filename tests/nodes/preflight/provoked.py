"""What is wrong with a host or asked in vain, each case a code: how it comes about, and the line that is said of it."""


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
        "node2: its host name is localhost (HOSTNAME_DIFFERS). Set it: hostnamectl set-hostname node2",
    ),
    "OS_UNSUPPORTED": (
        (f"cp {RELEASE} /root/kept; printf 'ID=alpine\\nPRETTY_NAME=\"Alpine Linux v3.20\"\\n' >{RELEASE}", f"cp /root/kept {RELEASE}"),
        "node2: its system is Alpine Linux v3.20, which Kubespray does not know (OS_UNSUPPORTED). Install Debian, Ubuntu, Rocky, "
        "AlmaLinux or another that it knows, or try kubespray.variables.allow_unsupported_distribution_setup: true",
    ),
    "PYTHON_MISSING": (
        moved("/usr/bin/python3"),
        "node2: there is no python3, which Ansible needs (PYTHON_MISSING). Install it: apt-get install python3",
    ),
    "DISK_FULL": (
        ("mount -t tmpfs -o size=64m none /var", "umount /var"),
        "node2: /var has 64 MiB free (DISK_FULL). Make room: 10 GiB and more are well",
    ),
    "MACHINE_ID_MISSING": (
        ("cp /etc/machine-id /root/kept; : >/etc/machine-id", "cat /root/kept >/etc/machine-id"),
        "node2: /etc/machine-id is empty (MACHINE_ID_MISSING). Make one: systemd-machine-id-setup",
    ),
    "CLOCK_DIFFERS": (
        ("printf '#!/bin/sh\\nexec /bin/date -d \"-1 hour\" \"$@\"\\n' >/usr/local/bin/date; chmod 755 /usr/local/bin/date", "rm /usr/local/bin/date"),
        "node2: its clock is 3600 s behind those of the others (CLOCK_DIFFERS). Set it right: timedatectl set-ntp true",
    ),
    "NIC_MISSING": (
        ("ip link set ens6 down; ip link set ens6 name enp4s0; ip link set enp4s0 up", "ip link set enp4s0 down; ip link set enp4s0 name ens6; ip link set ens6 up"),
        "node2: there is no interface ens6, which network media (macvlan) needs; it has: enp4s0, eth0 (NIC_MISSING). "
        "Correct the name, or say which nodes have it (`nodes` of the network or link)",
    ),
    "NIC_DOWN": (
        ("ip link set ens6 down", "ip link set ens6 up"),
        "node2: ens6 is down (NIC_DOWN). See why: ip link set ens6 up; dmesg | grep ens6",
    ),
    "NIC_IN_USE": (
        ("ip link add br0 type bridge; ip link set ens6 master br0", "ip link delete br0"),
        "node2: ens6 is part of br0, and network media (macvlan) needs it (NIC_IN_USE). Name br0 instead, or take ens6 out of it",
    ),
    "OTHER_CLUSTER": (
        (CLUSTER, "rm -r /etc/kubernetes"),
        "node2: it is a node of another cluster, the one at https://192.0.2.7:6443 (/etc/kubernetes/kubelet.conf) (OTHER_CLUSTER). "
        "Take it out there first (kubectl drain and delete node, then kubeadm reset or Kubespray's remove-node.yml), or name another host",
    ),
    "CLUSTER_LEFTOVERS": (
        ("mkdir -p /var/lib/etcd/member", "rm -r /var/lib/etcd"),
        "node2: a cluster has left /var/lib/etcd/member (CLUSTER_LEFTOVERS). If nothing of it is needed: kubeadm reset --force "
        "(k3s-uninstall.sh, rke2-uninstall.sh, snap remove microk8s), or rm -rf these",
    ),
    "PORT_TAKEN": (
        (LISTEN, "systemctl stop squatter"),
        "node2: port 10250 of kubelet is taken by python3 (PORT_TAKEN). Stop what listens there: ss -ltnp 'sport = :10250'",
    ),
}  # fmt: skip
"""What is done to node2 and undone → what is said."""

POOL = {"resourceName": "example.com/fast", "pfNames": ["ens6"], "numVfs": 8, "nodes": ["node2"]}
OF_THE_SITE = {
    "ARCHITECTURE_DIFFERS": (
        {"hosts": {"node2": {"architecture": "arm64"}}},
        "node2: it is amd64, and the site says arm64 (ARCHITECTURE_DIFFERS). Write nodes.hosts.node2.architecture: amd64",
    ),
    "MEMORY_SMALL": (
        {"variables": {"minimal_node_memory_mb": 10**9}},
        "node2: it has {memory} MiB of memory, and Kubespray wants 1000000000 (MEMORY_SMALL). Give it more, or lower "
        "kubespray.variables.minimal_node_memory_mb",
    ),
    "SRIOV_FUNCTIONS": (
        {"sriov": {"pools": {"fast": POOL}}},
        "node2: ens6 has no SR-IOV, and the site asks for 8 (SRIOV_FUNCTIONS). Turn SR-IOV on in the BIOS and the NIC's firmware, or lower "
        "sriov.pools.<name>.numVfs",
    ),
    "IOMMU_OFF": (
        {"sriov": {"pools": {"fast": {**POOL, "driver": "vfio-pci"}}}},
        "node2: it has no IOMMU in use, and a pool has driver vfio-pci (IOMMU_OFF). "
        "Turn on VT-d or AMD-Vi in the BIOS, and boot with intel_iommu=on (Intel)",
    ),
    "NIC_OWN": (
        {"links": {"bond0": {"type": "bond", "members": ["eth0"], "nodes": ["node2"]}}},
        "node2: eth0 holds the node's own address, and link bond0 (bond) takes it away (NIC_OWN). Name another NIC: the node would be lost",
    ),
}  # fmt: skip
"""What the site asks → what is said of hosts that are as they were."""
