"""The two sites of the day-two runs: the lab's own with changes, and a second one of hosts that exist and outlive their cluster."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import yaml

from lab.mirror import earlier
from lab.place import enter
from multus_site.render.host_keys import derive_host_key, public_key_of
from multus_site.render.script import script
from tests.lab.running import PROJECT, Lab, eventually

STACKS = PROJECT / "stacks"
ATTACH = "management:{ip}interface_name=eth0 internal:interface_name=ens6 external:interface_name=ens7"


def lab_configuration():
    """The lab's stack file, as data."""
    return yaml.safe_load((STACKS / "Pulumi.lab.yaml").read_text())


@dataclass
class Update:
    """One `pulumi up`, to its end."""

    seconds: float
    output: str
    status: int


class Cluster:
    """One stack with its site; `site` is what the next `up` makes true."""

    def __init__(self, lab: Lab, stack: str, configuration: dict):
        self.lab, self.stack, self.configuration = lab, stack, configuration
        self.file = lab.place.folder / "day-two" / f"Pulumi.{stack}.yaml"
        self.work = PROJECT / ".work" / self.site["name"] / "kubespray"
        self.seen = {path.name for path in self.events()}

    @property
    def site(self):
        """The site, which tests change in place."""
        return self.configuration["config"]["multus-site:site"]

    @property
    def hosts(self):
        """Its hosts, likewise."""
        return self.site["nodes"]["hosts"]

    def _command(self, verb, *more):
        self.file.parent.mkdir(exist_ok=True)
        self.file.write_text(yaml.safe_dump(self.configuration, sort_keys=False))
        options = ["--stack", self.stack, "--config-file", str(self.file), "--non-interactive", "--color", "never"]
        return ["pulumi", verb, *([] if verb == "preview" else ["--yes", "--skip-preview"]), *options, *more]

    def start(self, verb="up", *more):
        """Begins an update; `finish` waits for it."""
        log = (self.lab.place.logs / f"day-two-{self.stack}.log").open("w+")
        return (
            subprocess.Popen(
                enter(*self._command(verb, *more)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.lab.environment,
                cwd=PROJECT,
                start_new_session=True,
            ),
            log,
            time.monotonic(),
        )

    def finish(self, started, check=True):
        process, log, begun = started
        try:
            status = process.wait(1500)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGINT)
        seconds = time.monotonic() - begun
        log.seek(0)
        output = log.read()
        log.close()
        # What went wrong; all that follows are outputs.
        assert status == 0 or not check, output[output.find("Diagnostics:") :][:5000]
        return Update(seconds, output, status)

    def up(self, *more, check=True):
        """One update."""
        return self.finish(self.start("up", *more), check)

    def preview(self):
        """What a preview says, whether it ends well or not."""
        return self.finish(self.start("preview"), check=False)

    def events(self):
        """The event files of the playbooks that were run, in order."""
        return sorted((self.work / "log").glob("*.events"))

    def ran(self):
        """Playbook → host → tasks that changed something there, for every run since the last call; Ansible's own host aside."""
        found = {}
        for path in self.events():
            if path.name in self.seen:
                continue
            self.seen.add(path.name)
            changed = Counter()
            for line in path.read_text().splitlines():
                event = json.loads(line)
                if event["event"] == "ok" and event["changed"] and event["host"] != "localhost":
                    changed[event["host"]] += 1
            found.setdefault(path.stem.split("-", 2)[2], Counter()).update(changed)
        return {playbook: dict(changed) for playbook, changed in found.items()}

    def tasks(self, playbook):
        """Tasks that a run since the last look has begun."""
        return sum(
            path.read_text().count('"event": "task"')
            for path in self.events()
            if path.name not in self.seen and path.stem.endswith(f"-{playbook}")
        )

    def kubectl(self, *arguments, check=True):
        """kubectl, with the kubeconfig that the stack's output gives."""
        output = ("stack", "output", "kubeconfig", "--show-secrets", "--stack", self.stack)
        path = self.file.with_suffix(".kubeconfig")
        path.parent.mkdir(exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(self.lab.run("pulumi", *output).stdout)
        return self.lab.run("kubectl", "--kubeconfig", str(path), *arguments, check=check).stdout

    def ready(self):
        """Names of the nodes that are Ready, with their version."""
        nodes = json.loads(self.kubectl("get", "nodes", "-o", "json"))["items"]
        return {
            node["metadata"]["name"]: node["status"]["nodeInfo"]["kubeletVersion"].removeprefix("v")
            for node in nodes
            if any(c["type"] == "Ready" and c["status"] == "True" for c in node["status"]["conditions"])
        }


def of_the_lab(lab):
    """The lab's own stack, which `make lab` has brought up, without its throughput: that takes a minute, and fills the wire that the ping is on."""
    configuration = lab_configuration()
    configuration["config"]["multus-site:site"].pop("throughput", None)
    return Cluster(lab, "lab", configuration)


def second(lab, before: earlier.Earlier):
    """A stack of two hosts that exist, at the earlier Kubernetes; its hosts are containers made here and not by the graph."""
    configuration = lab_configuration()
    site = configuration["config"]["multus-site:site"]
    seed = (lab.place.folder / "ssh" / "host-key-seed").read_text()
    hosts = {
        "two1": {"address": "10.1.1.31", "roles": ["control-plane", "etcd", "worker"]},
        "two2": {"address": "10.1.1.32"},
    }
    for name, host in hosts.items():
        host["hostKey"] = derive_host_key(seed, "two", name).public
    site["name"] = "two"
    site["nodes"] = {"backend": "existing", "ssh": site["nodes"]["ssh"], "hosts": hosts}
    for number, network in enumerate(site["networks"].values(), 1):
        # Its own part of the segments, which both sites are on.
        part = {
            "subnet": f"10.1.{number}0.0/24",
            "rangeStart": f"10.1.{number}0.100",
            "rangeEnd": f"10.1.{number}0.120",
        }
        network["ipam"]["ranges"] = [{**part, "gateway": f"10.1.{number}0.1"}]
    site["workloads"]["samplepod"]["nodes"] = ["two2"]
    site.pop("throughput", None)
    site["kubespray"]["variables"] |= {**before.mirrors(), **before.variables()}
    return Cluster(lab, "two", configuration)


def machine(lab, argument, site, node, address):
    """Makes or removes a host by hand, as an owner of machines would."""
    seed = (lab.place.folder / "ssh" / "host-key-seed").read_text()
    key = derive_host_key(seed, site, node)
    variables = {
        "NAME": f"{site}-{node}",
        "SITE": site,
        "NODE": node,
        "IMAGE": "localhost/multus-site-node:bookworm",
        "ATTACH": ATTACH.format(ip=f"ip={address},"),
        "MANAGEMENT": "management",
        "HOST_KEY": key.private,
        "HOST_KEY_PUBLIC": key.public,
        "AUTHORIZED_KEY": public_key_of((lab.place.folder / "ssh" / "id_ed25519").read_text()),
        "USER_HOME": "/root",
        "STARTED": "",
    }
    lab.run("sh", "-s", argument, given=script("container", variables))


class Ping:
    """A ping that runs all the while: from inside a pod's net1, five times a second, to the segment's gateway."""

    def __init__(self, lab, node, gateway="10.1.10.1"):
        self.lab, self.node = lab, node
        (pod,) = lab.pods()
        self.pod = pod["metadata"]["uid"]
        name = pod["metadata"]["name"]
        sandbox = lab.node(node, "crictl", "pods", "--name", name, "--state", "Ready", "-q").stdout.split()[0]
        namespaces = json.loads(lab.node(node, "crictl", "inspectp", sandbox).stdout)["info"]["runtimeSpec"]["linux"]
        path = next(n["path"] for n in namespaces["namespaces"] if n["type"] == "network")
        ping = f"nsenter --net={path} ping -i 0.2 -I net1 {gateway} >/run/ping.log 2>&1 & echo $! >/run/ping.pid"
        lab.node(node, "sh", "-c", f"{ping}")

    def stop(self):
        """(sent, lost) since it began."""
        self.lab.node(self.node, "sh", "-c", "kill -INT $(cat /run/ping.pid)")

        def counted():
            text = self.lab.node(self.node, "cat", "/run/ping.log").stdout
            return [line for line in text.splitlines() if "packets transmitted" in line]

        line = eventually(counted, 10)[0].split()
        return int(line[0]), int(line[0]) - int(line[3])

    def same_pod(self):
        """Whether the pod is still the one that the ping began in."""
        (pod,) = self.lab.pods()
        return pod["metadata"]["uid"] == self.pod


def changed_hosts(results):
    """Hosts that any playbook of the last step changed something on."""
    return {host for hosts in results[-1]["ran"].values() for host in hosts}


def ansible_at_work(work: Path):
    """Ids of processes of a stack's Ansible."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and str(work / "inventory.json").encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return found
