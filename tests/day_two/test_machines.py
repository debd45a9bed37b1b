"""Machines of a running site, on the real lab: one is made anew, one is killed and started again, one gets other limits, all are dead at the end of a site."""

import json
import threading
from collections import Counter

import pytest

from tests.day_two.sites import STACKS, Cluster, changed_hosts, lab_configuration, of_the_lab
from tests.lab.networks import addresses, inside, ready

pytestmark = pytest.mark.day_two

IMAGE = "docker.io/library/busybox:1.36"
WIDE = {
    name: {
        "type": "macvlan",
        "master": nic,
        "ipam": {"type": "whereabouts", "range": f"{net}.100-{net}.119/24", "gateway": f"{net}.1"},
    }
    for name, nic, net in (("wide-internal", "ens6", "10.1.10"), ("wide-external", "ens7", "10.1.20"))
}


def pod(nodes, replicas=1):
    command = ["tail", "-f", "/dev/null"]
    return {"image": IMAGE, "command": command, "networks": [*WIDE], "nodes": nodes, "replicas": replicas}


@pytest.fixture(scope="module")
def cluster(lab):
    """The lab with pods on node3, whose addresses the whole cluster hands out; the plain lab again afterwards."""
    cluster = of_the_lab(lab)
    cluster.site["cniPlugins"].pop("plugins")
    cluster.site["networks"] |= WIDE
    cluster.site["workloads"] |= {"edge": pod(["node3"], 2), "elsewhere": pod(["node2"])}
    cluster.up()
    yield cluster
    cluster.configuration = lab_configuration()
    cluster.up()


class Machine:
    """What makes a node that node: what stays through a start, and what another machine has otherwise."""

    def __init__(self, lab, node):
        def asked(*command):
            return lab.node(node, *command).stdout.strip()

        self.container = lab.run("podman", "inspect", f"lab-{node}", "--format", "{{.Id}}").stdout.strip()
        self.machine_id = asked("cat", "/etc/machine-id")
        links = json.loads(asked("ip", "-j", "addr"))
        nics = {link["ifname"]: link for link in links if link["ifname"] in {"eth0", "ens6", "ens7"}}
        self.nics = {name: link["mtu"] for name, link in nics.items()}
        held = [a["local"] for a in nics["eth0"]["addr_info"] if a["family"] == "inet"]
        self.stays = {
            "name": asked("hostname"),
            "addresses": held,
            "host key": asked("cat", "/etc/ssh/ssh_host_ed25519_key.pub"),
            "NICs": self.nics,
        }
        self.booted = asked("stat", "-c", "%Y", "/proc/1")


def no_address_twice(lab):
    """Every attachment's address is one pod's, and whereabouts knows of those of pods that are there and of no others."""
    there = [p for p in lab.get("pods")["items"] if "deletionTimestamp" not in p["metadata"]]
    held = Counter(ip for p in there for _, ip in addresses(p))
    assert not [ip for ip, count in held.items() if count > 1]
    pools = lab.get("ippools", "-n", "kube-system")["items"]
    refs = Counter(a["podref"] for pool in pools for a in pool["spec"]["allocations"].values())
    wide = [p["metadata"]["name"] for p in there for network, _ in addresses(p) if "wide" in network]
    assert refs == Counter(f"default/{name}" for name in wide)


class Watch(threading.Thread):
    """Looks all the while whether a node is in the cluster, and whether its container is there."""

    def __init__(self, lab, node):
        super().__init__(daemon=True)
        self.lab, self.node, self.seen, self.over = lab, node, [], threading.Event()

    def run(self):
        while not self.over.wait(0.3):
            there = self.lab.run("podman", "container", "exists", f"lab-{self.node}", check=False).returncode == 0
            found = self.lab.kubectl("get", "node", self.node, "--ignore-not-found", "-o", "name", check=False)
            state = (bool(found.strip()), there)
            if not self.seen or self.seen[-1] != state:
                self.seen.append(state)


def test_a_machine_that_is_made_anew_leaves_first_and_joins_again(lab, cluster, step, results):
    before, pods = Machine(lab, "node3"), ready(lab, "edge", 2)
    (elsewhere,) = ready(lab, "elsewhere", 1)
    watch = Watch(lab, "node3")
    with step("make a worker's machine anew", cluster):
        watch.start()
        done = cluster.up("--replace", "**lab-node3-machine")
    watch.over.set()
    watch.join()
    # In the cluster and there; out and there; out and gone; out and there, another one; in.
    assert watch.seen[:3] == [(True, True), (False, True), (False, False)]
    assert watch.seen[-1] == (True, True)
    assert "remove-node.yml: node3 is a different machine now" in done.output
    assert list(results[-1]["ran"]) == ["remove-node", "facts", "scale"]
    assert changed_hosts(results) == {"node3"}
    after = Machine(lab, "node3")
    assert (after.container, after.machine_id) != (before.container, before.machine_id)
    assert after.stays == before.stays
    assert set(cluster.ready()) == {"node1", "node2", "node3"}
    anew = ready(lab, "edge", 2)
    assert not {p["metadata"]["uid"] for p in anew} & {p["metadata"]["uid"] for p in pods}
    for made in anew:
        assert len(addresses(made)) == 2
        assert {name for name, _ in inside(lab, made)} == {"net1", "net2"}
    assert [p["metadata"]["uid"] for p in ready(lab, "elsewhere", 1)] == [elsewhere["metadata"]["uid"]]
    no_address_twice(lab)
    cluster.up("--expect-no-changes")


def test_the_only_control_plane_is_not_made_anew(lab, cluster):
    before = Machine(lab, "node1")
    told = "node1 is the first control plane node: its machine cannot be recreated in a running cluster"
    previewed = cluster.finish(cluster.start("preview", "--replace", "**lab-node1-machine"), check=False)
    assert previewed.status != 0
    assert told in previewed.output
    done = cluster.up("--replace", "**lab-node1-machine", check=False)
    assert done.status != 0
    assert told in done.output
    assert Machine(lab, "node1").__dict__ == before.__dict__
    cluster.up("--expect-no-changes")


def test_a_machine_that_was_killed_is_started_by_up_and_is_the_same(lab, cluster, step, results):
    lab.node("node3", "sh", "-c", "echo kept >/var/lib/kept; echo kept >/root/kept")
    before = Machine(lab, "node3")
    lab.run("podman", "kill", "lab-node3")
    with step("start a machine that was killed", cluster):
        done = cluster.up()
    assert "node3: its machine stands still; `pulumi up` starts it" in done.output
    assert "lab-node1" not in done.output.partition("Diagnostics:")[0]
    assert results[-1]["ran"] == {}
    after = Machine(lab, "node3")
    assert after.booted > before.booted
    assert {**after.__dict__, "booted": ""} == {**before.__dict__, "booted": ""}
    assert lab.node("node3", "cat", "/var/lib/kept", "/root/kept").stdout == "kept\nkept\n"
    assert set(cluster.ready()) == {"node1", "node2", "node3"}
    for made in ready(lab, "edge", 2):
        assert {name for name, _ in inside(lab, made)} == {"net1", "net2"}
    no_address_twice(lab)


def limits(lab, node):
    """(bytes of memory, processors) that the node's container may have, as its cgroup says, in either version."""
    where = lab.run("podman", "inspect", f"lab-{node}", "--format", "{{.State.Pid}}").stdout.strip()
    script = """
    group() { awk -F: -v want="$1" '{ n = split($2, c, ","); for (i = 1; i <= n; i++) if (c[i] == want) print $3 }' /proc/$2/cgroup; }
    if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
        g=/sys/fs/cgroup$(awk -F: '{ print $3 }' /proc/$1/cgroup); g=${g%/init.scope}
        cat $g/memory.max $g/cpu.max
    else
        echo $(cat /sys/fs/cgroup/memory$(group memory $1 | sed 's,/init.scope$,,')/memory.limit_in_bytes)
        c=/sys/fs/cgroup/cpu$(group cpu $1 | sed 's,/init.scope$,,')
        echo $(cat $c/cpu.cfs_quota_us $c/cpu.cfs_period_us)
    fi"""
    memory, quota, period = lab.run("sh", "-c", script, "sh", where).stdout.split()
    return int(memory), int(quota) / int(period)


def test_limits_are_changed_in_place_and_outlive_a_kill(lab, cluster, step, results):
    before = Machine(lab, "node3")
    cluster.site["nodes"]["container"]["machines"] = {"node3": {"memory": 3072, "cpus": 1.5}}
    previewed = cluster.preview()
    assert "lab-node3-machine update [diff: +environment]" in previewed.output
    # And its component, which shows what the machine is made of, and the verification, which is given the site. No playbook, no object of the cluster.
    assert "multus-site:index:NodeVM lab-node3 update [diff: ~machine]" in previewed.output
    assert "lab-verification-run update" in previewed.output
    assert "3 to update" in previewed.output
    with step("another limit of a machine", cluster):
        cluster.up()
    assert limits(lab, "node3") == (3072 * 1024 * 1024, 1.5)
    assert results[-1]["ran"] == {}
    assert Machine(lab, "node3").__dict__ == before.__dict__
    lab.run("podman", "kill", "lab-node3")
    cluster.up()
    assert limits(lab, "node3") == (3072 * 1024 * 1024, 1.5)
    del cluster.site["nodes"]["container"]["machines"]
    cluster.up()
    memory, cpus = limits(lab, "node3")
    assert memory >= 3072 * 1024 * 1024
    assert cpus != 1.5


def test_a_site_whose_machines_are_all_dead_is_destroyed(lab, step):
    """A second site of the backend in the same lab, of one node; made and destroyed beside the first."""
    configuration = lab_configuration()
    site = configuration["config"]["multus-site:site"]
    site |= {"name": "alone", "workloads": {}, "networks": {}}
    site.pop("throughput")
    site["nodes"]["hosts"] = {"only1": {"address": "10.1.1.41", "roles": ["control-plane", "etcd", "worker"]}}
    alone = Cluster(lab, "alone", configuration)
    lab.run("pulumi", "stack", "init", "alone", "--non-interactive", "--no-select", check=False)
    try:
        with step("a second site of containers, of one node", alone):
            alone.up()
        assert set(alone.ready()) == {"only1"}
        lab.run("podman", "kill", "alone-only1")
        with step("destroy a site whose machines are dead", alone):
            alone.finish(alone.start("destroy"))
        names = lab.run("podman", "ps", "--all", "--format", "{{.Names}}").stdout.split()
        assert sorted(names) == ["lab-node1", "lab-node2", "lab-node3"]
        assert (
            json.loads(lab.run("pulumi", "stack", "export", "--stack", "alone").stdout)["deployment"].get("resources")
            is None
        )
    finally:
        lab.run("pulumi", "stack", "rm", "alone", "--yes", "--force", "--non-interactive", check=False)
        (STACKS / "Pulumi.alone.yaml").unlink(missing_ok=True)
        lab.run("podman", "rm", "--force", "--volumes", "--ignore", "alone-only1", check=False)
