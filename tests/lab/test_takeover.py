"""A cluster that runs is taken over: nothing changes in it, no pod restarts, no ping is lost; and it is let go again."""

import shutil
import subprocess

import pytest
import yaml

from lab.place import enter
from multus_site.render.host_keys import derive_host_key
from tests.lab.churn import NODES, all_free
from tests.lab.running import PROJECT, eventually, told

pytestmark = pytest.mark.lab

RECORD = "/var/lib/multus-site/kubespray.json"
KINDS = (
    "nodes,daemonsets,deployments,configmaps,network-attachment-definitions,customresourcedefinitions,pods,clusterroles"
)
PINGS = 60
"""One a second through net1, for longer than the takeover takes."""


@pytest.fixture(scope="module")
def taken(lab, repository, tmp_path_factory):
    """Another repository with a state of its own, whose site has the lab's machines as existing hosts; no record of Kubespray's runs is left."""
    folder = tmp_path_factory.mktemp("taken") / "repository"
    shutil.copytree(repository, folder, symlinks=True, ignore=shutil.ignore_patterns(".venv", ".work", "reports"))
    (folder / ".venv").symlink_to(
        PROJECT / ".venv"
    )  # its Python has an Ansible, which cannot be installed inside the lab
    (folder / "stacks" / "Pulumi.lab.yaml").write_text(yaml.safe_dump(stack_file(lab)))
    (folder / "state").mkdir()
    lab.node("node1", "mv", RECORD, f"{RECORD}.kept")
    try:
        typed(lab, folder, "pulumi", "stack", "init", "lab")
        yield folder
    finally:
        lab.node("node1", "sh", "-c", f"rm -f {RECORD}; mv {RECORD}.kept {RECORD}")


def stack_file(lab):
    """The lab's stack file for hosts that exist."""
    data = yaml.safe_load((PROJECT / "stacks" / "Pulumi.lab.yaml").read_text())
    site = data["config"]["multus-site:site"]
    seed = (PROJECT / ".lab" / "ssh" / "host-key-seed").read_text().strip()
    hosts = {
        name: {**host, "hostKey": derive_host_key(seed, "lab", name).public}
        for name, host in site["nodes"]["hosts"].items()
    }
    site["nodes"] = {"backend": "existing", "ssh": site["nodes"]["ssh"], "hosts": hosts}
    authority = lab.node(
        "node1", "sh", "-c", "cat /etc/kubernetes/ssl/ca.crt /etc/kubernetes/pki/ca.crt 2>/dev/null | sha256sum"
    )
    site["kubespray"]["adopted"] = {"ca": authority.stdout.split()[0]}
    site.pop("throughput")
    return data


def typed(lab, folder, *command, check=True):
    """A command typed in the repository, with its own state."""
    state = {"PULUMI_BACKEND_URL": f"file://{folder}/state"}
    done = lab.run("env", "-C", str(folder), *command, check=False, seconds=600, **state)
    assert not check or done.returncode == 0, told(done.stdout + done.stderr)
    return done


UP = ("pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--color", "never")


def there(lab):
    """What is in the cluster: uid and generation of each object, restarts of each pod; no Job's and none that is being deleted."""
    found = {}
    for one in lab.get(KINDS, "-A")["items"]:
        metadata = one["metadata"]
        if "deletionTimestamp" in metadata or any(o["kind"] == "Job" for o in metadata.get("ownerReferences", ())):
            continue
        restarts = [status["restartCount"] for status in one.get("status", {}).get("containerStatuses", ())]
        key = (one["kind"], metadata.get("namespace", ""), metadata["name"])
        found[key] = (metadata["uid"], metadata.get("generation"), restarts)
    return found


def settled(lab):
    """The same, once nothing changes any more of what other tests left."""
    # What is left behind becomes old enough between two runs of `up`: the second one would give it back.
    eventually(lambda: all_free(lab), seconds=180, pause=5)
    seen = [there(lab)]

    def unchanged():
        seen.append(there(lab))
        return seen[-1] == seen[-2]

    eventually(unchanged, pause=5)
    return seen[-1]


def binaries(lab):
    """The plugins and configurations of each node, with their times."""
    look = ("find", "/opt/cni/bin", "/etc/cni/net.d", "-type", "f", "-printf", "%p %T@ %s\n")
    return {node: sorted(lab.node(node, *look).stdout.splitlines()) for node in NODES}


def test_the_first_up_runs_no_playbook_and_changes_nothing(lab, taken):
    before, files = settled(lab), binaries(lab)
    (pod,) = lab.pods()
    ping = ("kubectl", "exec", pod["metadata"]["name"], "--", "ping", "-c", str(PINGS), "10.1.10.1")
    with subprocess.Popen(enter(*ping), env=lab.environment, stdout=subprocess.PIPE, text=True) as pinging:
        done = typed(lab, taken, *UP)
        said, _ = pinging.communicate(timeout=PINGS + 60)
    assert "the cluster: taken over, nothing run" in done.stdout
    assert "cluster.yml" not in done.stdout + done.stderr
    assert f"{PINGS} packets transmitted, {PINGS} packets received" in said
    assert there(lab) == before
    assert binaries(lab) == files
    typed(lab, taken, *UP, "--expect-no-changes")
    assert '"site": "lab"' in lab.node("node1", "cat", RECORD).stdout


def test_a_released_site_keeps_running(lab, taken):
    before = settled(lab)
    done = typed(lab, taken, ".venv/bin/multus-site", "release", "lab", "--yes")
    assert "cluster: Kubernetes on node1, node2, node3" in done.stdout
    assert "NetworkAttachmentDefinition: default/macvlan-external, default/macvlan-internal" in done.stdout
    assert there(lab) == before
    assert lab.node("node1", "test", "-e", RECORD, check=False).returncode == 1
    assert "lab" not in typed(lab, taken, "pulumi", "stack", "ls").stdout
    assert (taken / "lab.state.json").exists()
    assert (taken / "stacks" / "Pulumi.lab.yaml").exists()
    # Another site may take it over: nobody claims it.
    typed(lab, taken, "pulumi", "stack", "init", "lab")
    assert "the cluster: taken over, nothing run" in typed(lab, taken, *UP).stdout


def test_what_differs_stops_it(lab, taken):
    file = taken / "stacks" / "Pulumi.lab.yaml"
    text = file.read_text()
    data = yaml.safe_load(text)
    variables = data["config"]["multus-site:site"]["kubespray"]["variables"]
    file.write_text(yaml.safe_dump({**data, "config": changed(data["config"], variables)}))
    lab.node("node1", "rm", "-f", RECORD)
    shutil.rmtree(taken / ".work" / "lab")
    state = taken / "state2"
    state.mkdir()
    try:
        run = ("env", f"PULUMI_BACKEND_URL=file://{state}")
        typed(lab, taken, *run, "pulumi", "stack", "init", "lab")
        done = typed(lab, taken, *run, *UP, check=False)
    finally:
        file.write_text(text)
    assert done.returncode != 0
    output = done.stdout + done.stderr
    assert "the cluster is not taken over" in output
    assert "kubespray.podCidr: 10.240.0.0/16 in the site, 10.233.64.0/18 in the cluster" in output
    assert "kube_proxy_mode: ipvs in the site, iptables in the cluster" in output


def changed(config, variables):
    """The stack's configuration with another pod network and another mode of kube-proxy."""
    site = config["multus-site:site"]
    other = {
        **site["kubespray"],
        "variables": {**variables, "kube_pods_subnet": "10.240.0.0/16", "kube_proxy_mode": "ipvs"},
    }
    return {**config, "multus-site:site": {**site, "kubespray": other}}
