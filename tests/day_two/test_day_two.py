"""The cluster's day two, on the real lab, in order: grow, shrink, two stacks at once, a dead node, a wrong key, kill -9, an upgrade, a destroy.

`make lab-day-two` runs it on a lab that is up and leaves that as it was. Each step says how long it took; .lab/runs keeps it.
"""

import contextlib
import json
import os
import signal
from pathlib import Path

import pytest
import yaml

from lab.cache import Cache
from lab.mirror import earlier
from lab.toolchain.modules import KUBERNETES, KUBERNETES_EARLIER
from tests.day_two.sites import STACKS, ansible_at_work, changed_hosts, lab_configuration, machine, of_the_lab, second
from tests.lab.running import PROJECT, eventually

pytestmark = pytest.mark.day_two

NODE4 = {"address": "10.1.1.8"}


@pytest.fixture(scope="module")
def two_stacks(lab):
    """The lab's own stack and the second one, whose hosts are there and whose cluster is not."""
    with Cache.default().lock():
        before = earlier.build(Cache.default(), print)
    before.serve(lab.place)
    two = second(lab, before)
    for name, host in two.hosts.items():
        machine(lab, "make", "two", name, host["address"])
    file = STACKS / "Pulumi.two.yaml"
    file.write_text(yaml.safe_dump({"encryptionsalt": two.configuration["encryptionsalt"]}))
    lab.run("pulumi", "stack", "init", "two", "--non-interactive", check=False)
    yield of_the_lab(lab), two
    lab.run("pulumi", "stack", "rm", "two", "--yes", "--force", "--non-interactive", check=False)
    file.unlink(missing_ok=True)
    for name, host in two.hosts.items():
        machine(lab, "remove", "two", name, host["address"])


@pytest.fixture(scope="module")
def cluster(two_stacks):
    return two_stacks[0]


@pytest.fixture(scope="module")
def two(two_stacks):
    return two_stacks[1]


def test_add_a_worker(cluster, step, results):
    cluster.hosts["node4"] = NODE4
    with step("add a worker", cluster):
        done = cluster.up()
    assert "scale.yml: workers added: node4" in done.output
    assert list(results[-1]["ran"]) == ["facts", "scale"]
    assert changed_hosts(results) == {"node4"}
    assert set(cluster.ready()) == {"node1", "node2", "node3", "node4"}


def test_nothing_changed_runs_nothing(cluster, step, results):
    with step("nothing changed", cluster):
        cluster.up("--expect-no-changes")
    assert results[-1]["ran"] == {}


def test_remove_a_worker(cluster, step, results):
    del cluster.hosts["node4"]
    with step("remove a worker", cluster):
        done = cluster.up()
    assert "remove-node.yml: node4 left the site" in done.output
    assert changed_hosts(results) == {"node4"}
    assert set(cluster.ready()) == {"node1", "node2", "node3"}


def test_two_stacks_side_by_side(cluster, two, step, results):
    cluster.hosts["node4"] = NODE4
    with step("add a worker while another stack is created", cluster):
        both = [stack.start() for stack in (two, cluster)]
        overlap = eventually(lambda: ansible_at_work(two.work) and ansible_at_work(cluster.work), 300, 0.2)
        done = [stack.finish(run) for stack, run in zip((two, cluster), both, strict=True)]
    assert overlap
    assert changed_hosts(results) == {"node4"}
    results.append({"what": "create (two nodes)", "seconds": done[0].seconds, "ran": two.ran(), "ping": "-"})
    assert set(results[-1]["ran"]) == {"cluster"}
    assert set(cluster.ready()) == {"node1", "node2", "node3", "node4"}
    assert two.ready() == {"two1": KUBERNETES_EARLIER, "two2": KUBERNETES_EARLIER}
    assert two.kubectl("config", "get-contexts", "-o", "name").strip() == "two"
    assert cluster.kubectl("config", "get-contexts", "-o", "name").strip() == "lab"
    for stack, other in ((cluster, two), (two, cluster)):
        assert not {path.name for path in (stack.work / "facts").glob("*")} & set(other.hosts)
        assert not [key for key in (stack.work / "known_hosts").read_text().split() if key in addresses(other)]


def test_remove_a_dead_worker(lab, cluster, step, results):
    lab.run("podman", "kill", "lab-node4")
    del cluster.hosts["node4"]
    with step("remove a dead worker", cluster):
        done = cluster.up()
    assert "node4 left the site; it does not answer, so it is removed without being reached" in done.output
    assert changed_hosts(results) <= {"node4"}
    assert set(cluster.ready()) == {"node1", "node2", "node3"}


@pytest.fixture
def another_host_key(lab):
    """node3 shows another key than the pinned one, as a machine that was swapped would."""
    key = "/etc/ssh/ssh_host_ed25519_key"
    lab.node(
        "node3",
        "sh",
        "-c",
        f"cp -p {key} {key}.pub /root && rm {key} {key}.pub && ssh-keygen -q -t ed25519 -N '' -f {key} && systemctl restart ssh",
    )
    yield
    lab.node("node3", "sh", "-c", "cp -p /root/ssh_host_ed25519_key* /etc/ssh && systemctl restart ssh")


@pytest.mark.usefixtures("another_host_key")
def test_a_wrong_host_key_stops_it(cluster, step, results):
    cluster.hosts["node4"] = NODE4
    with step("a wrong host key on node3 stops it", cluster):
        done = cluster.up(check=False)
    assert done.status != 0
    assert "node3: login failed: its SSH host key is not the pinned one" in done.output
    assert "Traceback" not in done.output
    assert results[-1]["ran"] == {}


def test_killed_in_the_middle_it_goes_on(lab, cluster, step, results):
    """kill -9 of pulumi, its providers and the runner while the worker joins."""
    with step("kill -9 in the middle of adding a worker, and go on", cluster):
        process, log, _ = cluster.start()
        eventually(lambda: cluster.tasks("scale") >= 2, 300, 0.1)
        for pid in of_update(process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()
        log.close()
        eventually(lambda: not ansible_at_work(cluster.work), 30, 0.2)
        assert not (cluster.work / "key").exists()
        lab.run("pulumi", "cancel", "--yes", "--stack", "lab", "--non-interactive", check=False)
        forget_pending(lab)
        done = cluster.up()
    assert "the last run did not finish (scale.yml); continuing" in done.output
    assert changed_hosts(results) == {"node4"}
    assert set(cluster.ready()) == {"node1", "node2", "node3", "node4"}
    cluster.up("--expect-no-changes")


def test_upgrade_one_patch(two, step, results):
    for name in earlier.NAMES:
        del two.site["kubespray"]["variables"][name]
    with step(f"upgrade another stack from {KUBERNETES_EARLIER} to {KUBERNETES} (two nodes)", two):
        done = two.up()
    assert f"Kubernetes {KUBERNETES_EARLIER} → {KUBERNETES}" in done.output
    assert list(results[-1]["ran"]) == ["upgrade-cluster"]
    assert two.ready() == {"two1": KUBERNETES, "two2": KUBERNETES}
    two.up("--expect-no-changes")


def test_downgrade_is_refused_at_preview(two):
    two.site["kubespray"]["kubernetesVersion"] = KUBERNETES_EARLIER
    done = two.preview()
    del two.site["kubespray"]["kubernetesVersion"]
    assert done.status != 0
    assert (
        f"kubespray.kubernetesVersion: Kubernetes cannot be downgraded from {KUBERNETES} to {KUBERNETES_EARLIER}"
        in done.output
    )


def test_destroy_leaves_hosts_that_exist_clean(lab, two, step, results):
    with step("destroy the other stack, whose hosts stay (reset.yml)", two):
        two.finish(two.start("destroy"))
    assert set(results[-1]["ran"]["reset"]) == {"two1", "two2"}
    for name in two.hosts:
        left = "ls -d /etc/kubernetes /var/lib/etcd /opt/cni/bin /etc/cni/net.d 2>/dev/null; pgrep kubelet || true"
        assert lab.run("podman", "exec", f"two-{name}", "sh", "-c", left, check=False).stdout == ""
        assert lab.run("podman", "exec", f"two-{name}", "systemctl", "is-active", "ssh").stdout.strip() == "active"


def test_the_lab_is_as_it_was(cluster, step, results):
    del cluster.hosts["node4"]
    with step("remove the worker again", cluster):
        cluster.up()
    assert changed_hosts(results) == {"node4"}
    cluster.configuration = lab_configuration()
    cluster.up()
    assert set(cluster.ready()) == {"node1", "node2", "node3"}


def addresses(stack):
    return {host["address"] for host in stack.hosts.values()}


def of_update(pid):
    """Ids of an update's processes: pulumi's session with its providers, and the runner, which a provider may give one of its own.

    Not Ansible, nor the watcher that is to end it: both have sessions of their own.
    """
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            session = int((entry / "stat").read_text().rpartition(")")[2].split()[3])
            words = (entry / "cmdline").read_bytes().split(b"\0")
            runner = words[-4:-1] == [b"-m", b"kubespray", b"apply"] and (entry / "cwd").readlink() == PROJECT
            if session == pid or runner:
                found.append(int(entry.name))
    return found


def forget_pending(lab):
    """Drops what the killed run was in the midst of, as `make lab` does."""
    state = json.loads(lab.pulumi("stack", "export").stdout)
    if state["deployment"].pop("pending_operations", None):
        lab.run("pulumi", "stack", "import", "--stack", "lab", "--non-interactive", given=json.dumps(state))
