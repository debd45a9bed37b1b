"""A site of one machine that libvirt makes, as a stack: what it does with NodeVM, Preflight and CniPlugins, by the real CLI on the test's hypervisor."""

import hashlib
import json
import os
import shutil
import sys
from pathlib import Path

from multus_site.render.host_keys import derive_host_key
from tests.contract.tools import search_path
from tests.lint.test_real_plugins import PLUGINS
from tests.vm.hypervisor import NIC

REPOSITORY = Path(__file__).parents[2]
SEED = "0123456789abcdef0123456789abcdef"


def nics(mode):
    """Two bridges and a macvtap."""
    tap = {"macvtap": NIC, "mode": mode, "mtu": 9000}
    return {"eth0": {"bridge": "br-mgmt"}, "ens6": {"bridge": "br-int"}, "ens7": tap}


def a_site(origin, kvm, folder, **libvirt):
    """A site of one node, as plain data. `origin`: path and sha256 of its image; `libvirt` is said of the machine besides."""
    path, digest = origin
    plugins = [
        {"name": name, "path": str(PLUGINS / name), "sha256": hashlib.sha256((PLUGINS / name).read_bytes()).hexdigest()}
        for name in ("macvlan", "static")
    ]
    network = {"type": "macvlan", "ipam": {"type": "static"}}
    for name, text in (("key", kvm.private_key), ("seed", SEED)):
        (folder / name).touch(0o600)
        (folder / name).write_text(text)
    return {
        "name": "tests",
        "nodes": {
            "backend": "libvirt",
            "ssh": {"user": "ubuntu", "privateKeyFile": str(folder / "key")},
            "hostKeySeedFile": str(folder / "seed"),
            "libvirt": {
                "image": {"path": str(path), "sha256": digest},
                "management": {"network": "10.1.1.0/24", "gateway": "10.1.1.1"},
                "accelerator": "tcg",
                "memory": 1792,
                "disk": 14,
                "nics": nics("passthrough"),
                **libvirt,
            },
            "hosts": {"node1": {"address": "10.1.1.5", "roles": ["control-plane", "etcd", "worker"]}},
        },
        "cniPlugins": {"plugins": ["macvlan", "static"], "binaries": plugins},
        "networks": {"internal": {**network, "master": "ens6"}, "external": {**network, "master": "ens7"}},
    }


class Stack:
    """The stack of such a site, by the CLI in the hypervisor's namespaces."""

    def __init__(self, kvm, folder):
        self.kvm, self.folder = kvm, folder
        shutil.copytree(REPOSITORY / "tests" / "vm" / "node_program", folder / "project")
        for name in ("home", "state"):
            (folder / name).mkdir()
        path = os.pathsep.join([str(Path(sys.executable).parent), search_path()])
        self.environment = {
            **os.environ,
            "PATH": path,
            "PYTHONPATH": str(REPOSITORY),
            "HOME": str(folder / "home"),
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }
        self.pulumi("stack", "init", "tests")

    def pulumi(self, *words):
        """What it prints; fails with it where it fails."""
        done = self.kvm.run(
            "pulumi",
            *words,
            "--non-interactive",
            "--color",
            "never",
            env=self.environment,
            folder=self.folder / "project",
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def site(self, data):
        """The site from now on."""
        text = json.dumps({"config": {"pulumi:disable-default-providers": ["*"], "multus-site:site": data}})
        (self.folder / "project" / "Pulumi.tests.yaml").write_text(text)

    def urns(self):
        """Of all that the stack knows."""
        return [it["urn"] for it in json.loads(self.pulumi("stack", "export"))["deployment"].get("resources", [])]

    def output(self, name):
        """An output, of its node."""
        return json.loads(self.pulumi("stack", "output", name, "--json"))["node1"]

    def ssh(self, command, text=""):
        """A command on the node, reached with its pinned key; how it ended."""
        pinned = self.folder / "known_hosts"
        pinned.write_text(f"10.1.1.5 {derive_host_key(SEED, 'tests', 'node1').public}\n")
        options = {
            "BatchMode": "yes",
            "StrictHostKeyChecking": "yes",
            "UserKnownHostsFile": pinned,
            "ConnectTimeout": 20,
        }
        words = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
        return self.kvm.run("ssh", *words, "-i", str(self.folder / "key"), "ubuntu@10.1.1.5", command, input=text)

    def on_node(self, command, text=""):
        """What a command prints on the node."""
        done = self.ssh(command, text)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout
