"""Checks of the machine itself: system, architecture, Python, memory, disk, kernel."""

from multus_site.kubespray.machine_checks import NeededMemory, check_kernel, check_memory, leading_numbers
from multus_site.nodes.preflight.finding import Level, Node, Problem, Problems, each

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
"""`uname -m` → architecture as a site writes it."""

SYSTEMS = {
    "almalinux", "amzn", "centos", "clear-linux-os", "debian", "fedora", "flatcar", "kylin", "ol", "openeuler", "opensuse-leap",
    "opensuse-tumbleweed", "rhel", "rocky", "sles", "ubuntu", "uos",
}  # fmt: skip
"""IDs in /etc/os-release of the systems that Kubespray supports (roles/kubernetes/preinstall/defaults: supported_os_distributions)."""

DISK_FULL, DISK_SMALL = 3, 10
"""GiB free in /var: below the first, the images of a cluster do not fit; below the second, little else fits."""


@each("HOSTNAME_DIFFERS", "error", "The host name differs from the name in the site")
def hostname(node: Node) -> Problems:
    """Kubernetes, Multus and this site identify a node by its name. Kubernetes takes two hosts with the same name for one node.

    Fix: `hostnamectl set-hostname NAME`, or rename the host in the site.
    """
    if node.facts["hostname"] != node.name:
        yield Problem(
            node.name,
            f"the host name is {node.facts['hostname']}; the site needs {node.name}",
            f"hostnamectl set-hostname {node.name}",
        )


@each("OS_UNSUPPORTED", "error", "Kubespray does not support the operating system")
def operating_system(node: Node) -> Problems:
    """Kubespray stops on systems that it does not support, unless its variable allow_unsupported_distribution_setup is true.

    Fix: Install a supported system, or set that variable at your own risk.
    """
    system = node.facts["os"]
    if system["id"] not in SYSTEMS and not node.requirements.any_os:
        yield Problem(
            node.name,
            f"the operating system is {system['name'] or system['id'] or 'unknown'}, which Kubespray does not support",
            "install a supported system, such as Debian, Ubuntu, Rocky or AlmaLinux; or set kubespray.variables.allow_unsupported_distribution_setup: true at your own risk",
        )


@each("INIT_UNSUPPORTED", "error", "Process 1 is not systemd")
def init(node: Node) -> Problems:
    """Kubespray, kubelet and containerd are systemd units.

    Fix: Boot the host with systemd.
    """
    if node.facts["init"] != "systemd":
        yield Problem(
            node.name, f"process 1 is {node.facts['init']}; Kubespray needs systemd", "boot the host with systemd"
        )


@each("NO_APT", "error", "The air-gapped site has Debian packages, and the host has no APT")
def apt(node: Node) -> Problems:
    """The mirror of an air-gapped site has only the packages of airGap.os.

    Fix: Correct airGap.os, or install that system.
    """
    if node.requirements.apt and not node.facts["apt"]:
        yield Problem(
            node.name,
            f"{node.facts['os']['name']} has no apt-get; airGap.os needs Debian or Ubuntu",
            "correct airGap.os, or install that system",
        )


@each("ARCHITECTURE_DIFFERS", "error", "The architecture differs from the one in the site")
def architecture(node: Node) -> Problems:
    """It selects plugin binaries and images.

    Fix: Correct nodes.hosts.NAME.architecture.
    """
    found = ARCHITECTURES.get(node.facts["architecture"], node.facts["architecture"])
    if found != node.requirements.architecture:
        yield Problem(
            node.name,
            f"the architecture is {found}; the site has {node.requirements.architecture}",
            f"set nodes.hosts.{node.name}.architecture: {found}"
            if found in ARCHITECTURES.values()
            else "use an amd64 or arm64 machine",
        )


@each("PYTHON_MISSING", "error", "Python is missing or too old")
def python(node: Node) -> Problems:
    """Ansible runs its modules with the Python 3 of the node. The oldest version depends on the release of Ansible.

    Fix: Install python3 of the operating system.
    """
    version, oldest = node.facts["python"], node.requirements.python
    install = {"debian": "apt-get install python3", "ubuntu": "apt-get install python3"}
    if not version:
        yield Problem(
            node.name,
            f"python3 is not installed; Ansible needs {oldest} or later",
            install.get(node.facts["os"]["id"], "dnf install python3"),
        )
    elif leading_numbers(version) < leading_numbers(oldest):
        yield Problem(
            node.name,
            f"python3 is {version}; Ansible needs {oldest} or later",
            "install a newer release of the operating system",
        )


@each("MEMORY_SMALL", "error", "Less memory than Kubespray requires")
def memory(node: Node) -> Problems:
    """Kubespray stops below minimal_master_memory_mb (1500 MiB) on control plane nodes, minimal_node_memory_mb (1024) elsewhere.

    Fix: Add memory, or lower the variable.
    """
    for shortfall in check_memory(
        node.facts["memory"], NeededMemory(node.requirements.memory, node.requirements.memory_variable)
    ):
        yield Problem(node.name, *shortfall)


@each("DISK_FULL", "error", "No space in /var for the images of a cluster")
def disk_full(node: Node) -> Problems:
    """Container images, logs and etcd are in /var. For a node of the cluster this is a warning: it has its images.

    Fix: Free space in /var, or give it a disk of its own.
    """
    free = node.facts["disk"]["/var"]
    if free < DISK_FULL * 1024:
        level: Level = "warning" if node.ours else "error"
        yield Problem(
            node.name,
            f"/var has {free} MiB free; the images of a cluster need {DISK_FULL} GiB",
            f"free space in /var, or give it a disk of its own; {DISK_SMALL} GiB or more is recommended",
            level,
        )


@each("DISK_SMALL", "warning", "Little space in /var")
def disk_small(node: Node) -> Problems:
    """A kubelet removes images and evicts pods when its disk fills up (imagefs.available, nodefs.available).

    Fix: Free space in /var, or give it a disk of its own.
    """
    free = node.facts["disk"]["/var"]
    if DISK_FULL * 1024 <= free < DISK_SMALL * 1024:
        yield Problem(
            node.name,
            f"/var has {free} MiB free; {DISK_SMALL} GiB or more is recommended",
            "free space in /var, or give it a disk of its own",
        )


@each("KERNEL_OLD", "error", "The kernel is too old for a variable of Kubespray")
def kernel(node: Node) -> Problems:
    """kube_proxy_mode nftables needs 5.13, Cilium 4.9.17 (Kubespray's own limits).

    Fix: Upgrade the kernel, or change the variable.
    """
    for shortfall in check_kernel(node.facts["kernel"], node.requirements.kernels):
        yield Problem(node.name, *shortfall)


@each("CGROUP_V1", "error", "The host uses cgroup v1, which the kubelet refuses")
def cgroup(node: Node) -> Problems:
    """From Kubernetes 1.35 on, the kubelet does not start on cgroup v1 (failCgroupV1); with earlier versions this is a warning.

    Fix: Boot with systemd.unified_cgroup_hierarchy=1, or set kubelet_fail_cgroup_v1: false for now.
    """
    if node.facts["cgroup"] != 1 or node.container:
        return
    if node.requirements.refuses_cgroup_v1:
        yield Problem(
            node.name,
            "the host uses cgroup v1; the kubelet of this release needs cgroup v2",
            "boot with systemd.unified_cgroup_hierarchy=1, or set kubespray.variables.kubelet_fail_cgroup_v1: false for now",
        )
    else:
        yield Problem(
            node.name,
            "the host uses cgroup v1; Kubernetes 1.35 and later need cgroup v2",
            "boot with systemd.unified_cgroup_hierarchy=1 before you upgrade Kubernetes",
            "warning",
        )


@each("SWAP_ON", "warning", "Swap is on, and Kubespray will turn it off")
def swap(node: Node) -> Problems:
    """A kubelet refuses swap by default, so Kubespray turns it off and removes it from /etc/fstab. Move programs that need swap first.

    Fix: None needed; kubelet_fail_swap_on: false keeps swap on.
    """
    if node.facts["swap"] and node.requirements.swap_goes and not node.container:
        yield Problem(
            node.name,
            f"{node.facts['swap']} MiB of swap are on; Kubespray turns swap off and masks it",
            "none needed; to keep swap on, set kubespray.variables.kubelet_fail_swap_on: false",
        )
