"""Checks of the machine itself: system, architecture, Python, memory, disk, kernel."""

from multus_site.kubespray.machine_checks import NeededMemory, check_kernel, check_memory, leading_numbers
from multus_site.nodes.preflight.finding import Level, Node, Problem, Problems, each

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
"""What `uname -m` says → what the site says."""

SYSTEMS = {
    "almalinux", "amzn", "centos", "clear-linux-os", "debian", "fedora", "flatcar", "kylin", "ol", "openeuler", "opensuse-leap",
    "opensuse-tumbleweed", "rhel", "rocky", "sles", "ubuntu", "uos",
}  # fmt: skip
"""ID of /etc/os-release of what Kubespray takes (roles/kubernetes/preinstall/defaults: supported_os_distributions)."""

DISK_FULL, DISK_SMALL = 3, 10
"""GiB free in /var: below, the images of a cluster do not fit; below, they do, and little else."""


@each("HOSTNAME_DIFFERS", "error", "The host is not called as the site calls it")
def hostname(node: Node) -> Problems:
    """Kubernetes, Multus and this site know a node by one name. Two hosts of one name are one node to Kubernetes.

    Fix: `hostnamectl set-hostname NAME`, or call the host in the site as it is called.
    """
    if node.facts["hostname"] != node.name:
        yield Problem(
            node.name, f"its host name is {node.facts['hostname']}", f"Set it: hostnamectl set-hostname {node.name}"
        )


@each("OS_UNSUPPORTED", "error", "Kubespray does not know the operating system")
def system(node: Node) -> Problems:
    """Kubespray stops on systems that it has no tasks for, unless its variable allow_unsupported_distribution_setup is true.

    Fix: Another system, or that variable at your own risk.
    """
    there = node.facts["os"]
    if there["id"] not in SYSTEMS and not node.asked.any_os:
        yield Problem(
            node.name,
            f"its system is {there['name'] or there['id'] or 'unknown'}, which Kubespray does not know",
            "Install Debian, Ubuntu, Rocky, AlmaLinux or another that it knows, or try kubespray.variables.allow_unsupported_distribution_setup: true",
        )


@each("INIT_UNSUPPORTED", "error", "Process 1 is not systemd")
def init(node: Node) -> Problems:
    """Kubespray, kubelet and containerd are systemd units.

    Fix: Boot it with systemd.
    """
    if node.facts["init"] != "systemd":
        yield Problem(node.name, f"its process 1 is {node.facts['init']}", "Boot it with systemd")


@each("NO_APT", "error", "An air-gapped site's packages are Debian's, and the host has no APT")
def apt(node: Node) -> Problems:
    """The mirror of an air-gapped site holds the packages of airGap.os.

    Fix: Correct airGap.os, or install that system.
    """
    if node.asked.apt and not node.facts["apt"]:
        yield Problem(
            node.name,
            f"it has no apt-get ({node.facts['os']['name']}), and airGap.os says that it is a Debian or an Ubuntu",
            "Correct airGap.os, or install that system",
        )


@each("ARCHITECTURE_DIFFERS", "error", "The processor is of another architecture than the site says")
def architecture(node: Node) -> Problems:
    """Plugin binaries and images are chosen by it.

    Fix: Correct nodes.hosts.NAME.architecture.
    """
    there = ARCHITECTURES.get(node.facts["architecture"], node.facts["architecture"])
    if there != node.asked.architecture:
        yield Problem(
            node.name,
            f"it is {there}, and the site says {node.asked.architecture}",
            f"Write nodes.hosts.{node.name}.architecture: {there}"
            if there in ARCHITECTURES.values()
            else "Take a machine of amd64 or arm64",
        )


@each("PYTHON_MISSING", "error", "There is no Python, or too old a one")
def python(node: Node) -> Problems:
    """Ansible runs its modules with the node's own Python 3; which versions it takes is the release's.

    Fix: Install the system's python3.
    """
    there, least = node.facts["python"], node.asked.python
    install = {"debian": "apt-get install python3", "ubuntu": "apt-get install python3"}
    how = install.get(node.facts["os"]["id"], "dnf install python3")
    if not there:
        yield Problem(node.name, "there is no python3, which Ansible needs", f"Install it: {how}")
    elif leading_numbers(there) < leading_numbers(least):
        yield Problem(
            node.name, f"its Python is {there}, and Ansible needs {least}", "Take a newer release of its system"
        )


@each("MEMORY_SMALL", "error", "Less memory than Kubespray wants")
def memory(node: Node) -> Problems:
    """Kubespray stops below minimal_master_memory_mb (1500 MiB) on control plane nodes, minimal_node_memory_mb (1024) elsewhere.

    Fix: More memory, or a lower variable.
    """
    for shortfall in check_memory(node.facts["memory"], NeededMemory(node.asked.memory, node.asked.memory_variable)):
        yield Problem(node.name, *shortfall)


@each("DISK_FULL", "error", "No room in /var for a cluster's images")
def disk_full(node: Node) -> Problems:
    """Container images, logs and etcd lie in /var. A node that is in the cluster is only warned of: it has its images.

    Fix: Make room in /var, or give it a disk of its own.
    """
    free = node.facts["disk"]["/var"]
    if free < DISK_FULL * 1024:
        level: Level = "warning" if node.ours else "error"
        yield Problem(node.name, f"/var has {free} MiB free", f"Make room: {DISK_SMALL} GiB and more are well", level)


@each("DISK_SMALL", "warning", "Little room in /var")
def disk_small(node: Node) -> Problems:
    """A kubelet throws out images and pods when its disk fills up (imagefs.available, nodefs.available).

    Fix: The same, when it can be.
    """
    free = node.facts["disk"]["/var"]
    if DISK_FULL * 1024 <= free < DISK_SMALL * 1024:
        yield Problem(
            node.name, f"/var has {free} MiB free", f"Give it {DISK_SMALL} GiB and more before images fill it"
        )


@each("KERNEL_OLD", "error", "The kernel is older than what a variable of Kubespray needs")
def kernel(node: Node) -> Problems:
    """nftables as kube_proxy_mode needs 5.13, Cilium 4.9.17 (Kubespray's own limits).

    Fix: A newer kernel, or another value of the variable.
    """
    for shortfall in check_kernel(node.facts["kernel"], node.asked.kernels):
        yield Problem(node.name, *shortfall)


@each("CGROUP_V1", "error", "cgroup v1, which the kubelet refuses")
def cgroup(node: Node) -> Problems:
    """From Kubernetes 1.35 on a kubelet does not start on cgroup v1 (failCgroupV1); before that it is a warning.

    Fix: Boot with systemd.unified_cgroup_hierarchy=1; for now kubelet_fail_cgroup_v1: false.
    """
    if node.facts["cgroup"] != 1 or node.container:
        return
    if node.asked.refuses_cgroup_v1:
        yield Problem(
            node.name,
            "it has cgroup v1, with which this release's kubelet does not start",
            "Boot it with systemd.unified_cgroup_hierarchy=1, or write kubespray.variables.kubelet_fail_cgroup_v1: false for now",
        )
    else:
        yield Problem(
            node.name,
            "it has cgroup v1, which Kubernetes gives up",
            "Boot it with systemd.unified_cgroup_hierarchy=1 when it can be",
            "warning",
        )


@each("SWAP_ON", "warning", "Swap, which Kubespray will turn off")
def swap(node: Node) -> Problems:
    """A kubelet refuses swap, so Kubespray turns it off for good and takes it out of /etc/fstab; what needs it is better moved first.

    Fix: Nothing; kubelet_fail_swap_on: false keeps it.
    """
    if node.facts["swap"] and node.asked.swap_goes and not node.container:
        yield Problem(
            node.name,
            f"it has {node.facts['swap']} MiB of swap, which Kubespray turns off and masks",
            "Nothing is to be done; to keep it, write kubespray.variables.kubelet_fail_swap_on: false",
        )
