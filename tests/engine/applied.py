"""A project's folder with stacks, a git repository and a backend of its own, and a stack that was applied without nodes.

`up` runs with the providers of tests/engine/pretending. Whatever else is asked runs with those that the project has, in a network
namespace with nothing but loopback, where there is one: neither nodes nor an API server can be reached.
"""

import copy
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import yaml

from tests.contract.tools import search_path, tool
from tests.graph.recording import ED25519, PRIVATE_KEY

PROJECT = Path(__file__).parents[2]
PRETENDING = Path(__file__).parent / "pretending"
OURS = (".venv", "Pulumi.yaml", "__main__.py", "components", "lab", "multus_site", "policy")


def dallas():
    """A site of three nodes with two networks, as a README would have it."""
    hosts = {f"node{i}": {"address": f"192.0.2.{4 + i}", "hostKey": ED25519} for i in (1, 2, 3)}
    hosts["node1"]["roles"] = ["control-plane", "etcd", "worker"]
    media = {"subnet": "10.20.0.0/24", "rangeStart": "10.20.0.100", "rangeEnd": "10.20.0.149", "gateway": "10.20.0.1"}
    image = "docker.io/library/busybox:1.36"
    return {
        "name": "dallas",
        "nodes": {"backend": "existing", "ssh": {"user": "ubuntu"}, "hosts": hosts},
        "kubespray": {"version": "v2.30.0", "networkPlugin": "calico"},
        "networks": {
            "signalling": {
                "type": "macvlan",
                "master": "ens6",
                "ipam": {"type": "whereabouts", "range": "10.10.0.10-10.10.0.59/24", "gateway": "10.10.0.1"},
            },
            "media": {"type": "macvlan", "master": "ens7", "ipam": {"type": "host-local", "ranges": [media]}},
        },
        "workloads": {
            "core": {"kind": "StatefulSet", "image": image, "replicas": 2, "networks": ["signalling"]},
            "recorder": {"image": image, "networks": ["signalling", "media"], "nodes": ["node2"]},
        },
    }


@cache
def without_network():
    """How a command begins that is to have no network; nothing where this machine can't do that."""
    able = subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False).returncode == 0
    return ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"] if able else []


class Place:
    """The folder and what is typed there."""

    def __init__(self, folder, stack="dallas", backend="", ours=OURS):
        """`backend`: a URL, of a server on this machine's loopback; else a folder beside the project. `ours`: what of this checkout it has."""
        tool("pulumi")
        tool("pulumi-language-python")
        self.folder, self.stack = folder, stack
        self.backend = backend or f"file://{folder / 'state'}"
        self.before = [] if backend else without_network()
        self.file = folder / "project" / "stacks" / f"Pulumi.{stack}.yaml"
        self.file.parent.mkdir(parents=True, exist_ok=True)
        (folder / "state").mkdir(exist_ok=True)
        for name in ours:
            if not (folder / "project" / name).exists():
                (folder / "project" / name).symlink_to(PROJECT / name)

    def environment(self, *first):
        path = os.pathsep.join([*map(str, first), str(self.folder / "project" / ".venv" / "bin"), search_path()])
        return {
            **{key: value for key, value in os.environ.items() if not key.startswith(("KUBESPRAY_", "PULUMI_"))},
            "PATH": path,
            "PULUMI_BACKEND_URL": self.backend,
            "PULUMI_CONFIG_PASSPHRASE": "",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_HOME": str(self.folder / "home"),
            "MULTUS_SITE_CACHE": str(self.folder / "cache"),
            "KUBECONFIG": "",
            "SSH_AUTH_SOCK": "",
        }

    def run(self, *command, first=(), **options):
        return subprocess.run(
            [*self.before, *map(str, command)],
            cwd=self.folder / "project",
            env=self.environment(*first),
            capture_output=True,
            text=True,
            check=False,
            stdin=options.pop("stdin", subprocess.DEVNULL) if "input" not in options else None,
            **options,
        )

    def must(self, *command, **options):
        done = self.run(*command, **options)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def write(self, site, **config):
        """The stack file: what is in it stays, but the site."""
        there = yaml.safe_load(self.file.read_text()) if self.file.exists() else {}
        values = {"pulumi:disable-default-providers": ["*"], **there.get("config", {}), **config}
        there["config"] = {**values, "multus-site:site": site}
        self.file.write_text(yaml.safe_dump(there, sort_keys=False, width=10_000))

    def edit(self, edit):
        site = copy.deepcopy(yaml.safe_load(self.file.read_text())["config"]["multus-site:site"])
        edit(site)
        self.write(site)

    def initialise(self):
        self.must("pulumi", "stack", "init", self.stack, "--no-select")

    def secret(self, key, value, *flags):
        self.must("pulumi", "config", "set", "--secret", *flags, key, "--stack", self.stack, input=value)

    def commit(self, message="as it was"):
        if not (self.folder / "project" / ".git").exists():
            self.must("git", "init", "-q", "-b", "main")
        self.must("git", "add", "stacks")
        self.must("git", "-c", "user.name=test", "-c", "user.email=test@example.org", "commit", "-q", "-m", message)

    def up(self):
        """Applies it, with nobody there; what was said. The state is written once, at the end: a file that is written at each step takes minutes with 300 nodes."""
        once = {"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}
        return self.must(
            "env",
            *(f"{key}={value}" for key, value in once.items()),
            "pulumi",
            "up",
            "--stack",
            self.stack,
            "--yes",
            "--skip-preview",
            "--non-interactive",
            first=[PRETENDING],
        )

    def review(self, *arguments, stack=None):
        """Exit status, standard output and standard error of the command."""
        done = self.run(sys.executable, "-m", "multus_site", "review", stack or self.stack, *arguments)
        return done.returncode, done.stdout, done.stderr

    def copy(self, folder):
        """The same again, elsewhere."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Place(folder, self.stack)


def applied(folder, site=None, keys=None, **secrets):
    """A place whose stack was applied and committed. `keys`: further secret keys; `secrets`: variables of Kubespray."""
    place = Place(folder)
    place.write(site or dallas())
    place.initialise()
    place.secret("multus-site:sshPrivateKey", PRIVATE_KEY)
    for name, value in (keys or {}).items():
        place.secret(f"multus-site:{name}", value)
    for name, value in secrets.items():
        place.secret(f"multus-site:kubesprayVariables.{name}", value, "--path")
    place.write(site or dallas())
    place.commit()
    place.up()
    return place
