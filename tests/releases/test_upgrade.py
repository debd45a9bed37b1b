"""What earlier releases applied, previewed by today's program: nothing is replaced, nothing goes.

`VERSION/state.json` is `pulumi stack export` after an `up` by that release's program, and `VERSION/Pulumi.dallas.yaml` its site, whose
passphrase is empty: the state of a release to come is added when it is made (docs/releasing.md), and those that are there stay.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from multus_site.kubespray.document import Document as Kubespray
from multus_site.model.load import UPSTREAM, load_catalog
from multus_site.nodes.delivery.document import Document as Delivery
from multus_site.render.script import script
from multus_site.review.recorded_commands import MODULES
from multus_site.ssh.ssh_route import SshRoute
from tests.contract.tools import search_path, tool
from tests.engine.applied import PRETENDING
from tests.graph.recording import PRIVATE_KEY, short
from tests.graph.recording import record as graph_of
from tests.releases.recording import current, record, releases

pytestmark = pytest.mark.engine

PROJECT = Path(__file__).parents[2]
HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
LINES = ("create", "update", "delete")


SINCE_0_4_0 = {
    r"StackReference organization/multus-site/dallas": ("discard", "the program reads its own state another way"),
    r"Command dallas-access": ("create", "it logs in to each host once"),
    r"CniPlugins dallas-cni-plugins": ("update", "the script is another one, and says so"),
    r"Command dallas-cni-plugins-install": ("update", "the script is another one; it finds its plugins in place"),
    r"Command dallas-(verification|throughput)-run": (
        "update",
        "the preview does not know what the script will answer",
    ),
}

CHECK = {
    r"(InterfaceCheck|CronJob|ConfigMap|ServiceAccount|ClusterRole|ClusterRoleBinding) dallas-mend-interfaces(-script)?": (
        "delete",
        "it could delete pods of anybody; a site asks for interfaceRepair now",
    )
}

LEASES = {r"ClusterRole dallas-whereabouts": ("update", "it may change its own lease only")}

MULTUS = {
    r"ConfigMap dallas-multus-files": (
        "create",
        "00-multus.conf is the site's own; its file and the daemon's are one object",
    ),
    r"ConfigMap dallas-multus-config": ("delete", "the daemon's file moved there"),
    r"DaemonSet dallas-multus": (
        "update",
        "it writes 00-multus.conf another way, so that deleted pods lose no address",
    ),
    r"Leaks dallas-leaks|Command dallas-leaks-free": ("create", "what pods left behind is given back"),
}

EXPLAINED = {
    "0.4.0": {
        r"Command dallas-verification-run": ("update", "it looks for other hosts with a pod's MAC address"),
    },
    "0.3.0": {
        **SINCE_0_4_0,
        **CHECK,
        **MULTUS,
        **LEASES,
        r"Command dallas-node\d-networks-apply": (
            "update",
            "odd names of interfaces are read as they are; it finds its links in place",
        ),
    },
    "0.2.0": {
        **SINCE_0_4_0,
        **CHECK,
        **MULTUS,
        **LEASES,
        r"Command dallas-node\d-networks-apply": ("update", "NICs are found another way; it finds its links in place"),
    },
    "0.1.0": {
        **SINCE_0_4_0,
        **CHECK,
        **MULTUS,
        r"Preflight dallas-preflight": ("create", "preflight came with 0.2.0"),
        r"Command dallas-preflight-run": ("create", "it looks at each host once"),
        r"Command dallas-.+-(networks-apply|files)-removal": (
            "create",
            "what a command removes is a resource of its own since 0.2.0; creating it reaches no node",
        ),
        r"Command dallas-\w+-\w+-files": ("update", "its delete moved to the removal; it finds its files in place"),
        r"Command dallas-node\d-networks-apply": ("update", "the same; it finds its links in place"),
        r"Command dallas-node\d-facts": ("update", "the document says how often preflight looked, and APT's source"),
        r"Command dallas-kubernetes-kubeconfig": ("update", "the preview does not know the machine that it names"),
        r"Command dallas-kubernetes-kubespray": ("update", "the preview does not know the facts; the plan is empty"),
        r"kubernetes dallas-cluster": ("update", "deleteUnreachable is left to the environment since 0.2.0"),
        r"NetworkAttachmentDefinition dallas-\w+": ("update", "objects wait for a provider that changes"),
        r"(Daemon|Stateful)Set dallas-(?!multus$).*|Deployment dallas-.*|Service dallas-.*": (
            "update",
            "the same; pods restart where their probes changed",
        ),
        r"(ServiceAccount|ClusterRole|ClusterRoleBinding|ConfigMap|CronJob|CustomResourceDefinition) dallas-(?!mend|multus-(config|files)).*": (
            "update",
            "the same",
        ),
    },
}
"""What a preview shows besides `same`: release → pattern of `Kind name` → operation and reason."""


@dataclass
class Imported:
    """A stack in which a release's state is."""

    release: str
    project: Path
    environment: dict

    def run(self, *command, given="", first=(), **environment):
        path = os.pathsep.join([*map(str, first), self.environment["PATH"]])
        done = subprocess.run(
            command, cwd=self.project, env={**self.environment, **environment, "PATH": path},
            input=given, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout

    def pulumi(self, *arguments, **options):
        return self.run("pulumi", *arguments, "--stack", "dallas", "--non-interactive", **options)

    def export(self, *flags):
        return json.loads(self.pulumi("stack", "export", *flags))

    def resources(self):
        return {resource["urn"]: resource for resource in self.export()["deployment"].get("resources", [])}

    def preview(self):
        """Operation by `Kind name`."""
        steps = json.loads(self.pulumi("preview", "--json", "--show-sames"))["steps"]
        return {short(step["urn"]): step["op"] for step in steps}


@pytest.fixture(params=releases(), ids=lambda folder: folder.name)
def applied(request, tmp_path):
    """A stack that a release applied."""
    return imported(request.param, tmp_path)


def imported(release, tmp_path):
    """The project beside a state of its own, into which a release's state is imported."""
    tool("pulumi")
    tool("pulumi-language-python")
    project = tmp_path / "project"
    (project / "stacks").mkdir(parents=True)
    (tmp_path / "state").mkdir()
    for entry in PROJECT.iterdir():
        if entry.name not in {"stacks", ".git", ".lab", ".work"}:
            (project / entry.name).symlink_to(entry)
    shutil.copy(release / "Pulumi.dallas.yaml", project / "stacks")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PULUMI_")},
        "PATH": os.pathsep.join([str(Path(sys.prefix) / "bin"), search_path()]),
        "PULUMI_BACKEND_URL": f"file://{tmp_path / 'state'}",
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "KUBECONFIG": "",
    }
    stack = Imported(release.name, project, environment)
    file = project / "stacks" / "Pulumi.dallas.yaml"
    before = file.read_text()
    stack.run("pulumi", "stack", "init", "dallas", "--non-interactive")
    assert file.read_text() == before
    stack.pulumi("stack", "import", "--file", str(release / "state.json"))
    return stack


def test_a_preview_shows_what_is_explained(applied):
    there = {short(urn) for urn in applied.resources()}
    steps = applied.preview()
    assert there <= steps.keys() | {"pulumi default"}, "a resource would be deleted"
    explained = EXPLAINED.get(applied.release, {})
    shown = {name: op for name, op in steps.items() if op not in {"same", "read", "refresh"}}
    reasons = {name: [op for pattern, (op, _) in explained.items() if re.fullmatch(pattern, name)] for name in shown}
    assert {name: [op] for name, op in shown.items()} == reasons
    unused = [pattern for pattern in explained if not any(re.fullmatch(pattern, name) for name in shown)]
    assert not unused


BEFORE_REPAIR = [folder for folder in releases() if folder.name < "0.4.0"]
"""Releases that repaired interfaces without being asked."""


@pytest.mark.parametrize("release", BEFORE_REPAIR, ids=lambda folder: folder.name)
def test_a_site_that_asks_for_the_repair_keeps_what_it_had_of_it(release, tmp_path):
    applied = imported(release, tmp_path)
    file = applied.project / "stacks" / "Pulumi.dallas.yaml"
    stack = yaml.safe_load(file.read_text())
    stack["config"]["multus-site:site"]["interfaceRepair"] = {}
    file.write_text(yaml.safe_dump(stack, sort_keys=False))
    steps = {name: op for name, op in applied.preview().items() if "mend-interfaces" in name}
    gone = {
        "ClusterRole dallas-mend-interfaces",
        "ClusterRoleBinding dallas-mend-interfaces",
        "ConfigMap dallas-mend-interfaces-script",
    }
    kept = ("InterfaceCheck", "CronJob", "ServiceAccount")
    assert {name for name, op in steps.items() if op == "delete"} == gone
    assert not [name for name, op in steps.items() if "replace" in op]
    assert all(steps[f"{kind} dallas-mend-interfaces"] in {"same", "update"} for kind in kept)


@pytest.mark.parametrize("release", releases()[1:], ids=lambda folder: folder.name)
def test_up_runs_only_what_is_explained(release, tmp_path):
    stack = imported(release, tmp_path)
    before = stack.resources()
    stack.pulumi("up", "--yes", "--skip-preview", first=[PRETENDING])
    after = stack.resources()
    changed = [
        short(urn) for urn in before if urn not in after or before[urn].get("modified") != after[urn].get("modified")
    ]
    explained = EXPLAINED.get(stack.release, {})
    assert [name for name in changed if not any(re.fullmatch(pattern, name) for pattern in explained)] == []


def test_a_rename_would_be_seen(applied):
    """The program of today on a state whose resources had other names."""
    renamed = json.loads(json.dumps(applied.export()).replace("dallas-signalling", "dallas-signaling"))
    applied.pulumi("stack", "import", given=json.dumps(renamed))
    assert "delete" in applied.preview().values()


EMPTY_DOCUMENT = {
    "nodes.delivery remove": "stdin holds no document of components/cni_plugins.py",
    "kubespray destroy": "stdin holds no document of components/kubespray_cluster.py",
    "ssh": "stdin holds no document of components/ssh.py",
}
"""What each program of multus_site says of it."""


def program(line):
    """What a recorded line runs, by today's name: module of multus_site, and argument."""
    module, _, argument = line.split(" -m ")[1].partition(" ")
    return " ".join(filter(None, [MODULES.get(module, module).removeprefix("multus_site."), argument]))


def test_destroy_runs_the_recorded_lines(applied, tmp_path):
    """Every line that the state has for deleting is one that this checkout runs: old module names forward to the new ones."""
    said = tmp_path / "deletes"
    recorded = lines(applied.export(), "delete")
    applied.pulumi("destroy", "--yes", "--skip-preview", first=[PRETENDING], PRETENDING_RUN_DELETES=str(said))
    ended = {one["name"]: one for one in map(json.loads, said.read_text().splitlines())}
    assert ended.keys() == recorded.keys()
    # Each was given an empty document, and its own module says what is wrong with that.
    words = {name: one["said"].strip().splitlines()[-1].partition(":")[2].strip() for name, one in ended.items()}
    asked = {name: program(line) for name, line in recorded.items()}
    assert {name: word.partition(": ")[0] for name, word in words.items()} == {
        name: EMPTY_DOCUMENT[module] for name, module in asked.items()
    }
    assert not applied.resources()


def test_todays_programs_read_the_recorded_documents(applied):
    resources = applied.export("--show-secrets")["deployment"]["resources"]
    for resource in resources:
        inputs = resource.get("inputs", {})
        if resource["type"] != "command:local:Command" or "delete" not in inputs:
            continue
        stdin = json.loads(inputs["stdin"]["plaintext"])
        module = program(inputs["delete"]).split()[0]
        if module == "nodes.delivery":
            assert set(Delivery.parse(stdin).nodes) == {"node1", "node2", "node3"}
        elif module == "kubespray":
            assert Kubespray.parse(stdin).site == "dallas"
        else:
            document = json.loads(stdin)
            assert SshRoute.parse(document["way"])
            assert script(document["job"], document["variables"])


def lines(state, *keys):
    """What local commands run, by the name of their resource; those that run nothing are left out."""
    resources = [r for r in state["deployment"]["resources"] if r["type"] == "command:local:Command"]
    found = {r["urn"].rpartition("::")[2]: said(r["inputs"], *keys) for r in resources}
    return {name: its for name, its in found.items() if its}


def said(inputs, *keys):
    """The command lines among a resource's inputs."""
    return " && ".join(inputs[key] for key in keys if key in inputs)


def test_upgrade_leaves_the_lines_that_a_new_stack_has(applied):
    old = re.compile(rf"-m ({'|'.join(MODULES)})\b")
    changed = sum(1 for line in lines(applied.export(), *LINES).values() if old.search(line))
    expected = f"{changed} command lines rewritten" if changed else "nothing to do"
    assert (changed > 0) == (applied.release in {"0.1.0", "0.2.0"})
    assert expected in applied.run("multus-site", "upgrade", "dallas")
    state = applied.export()
    site = yaml.safe_load((applied.project / "stacks" / "Pulumi.dallas.yaml").read_text())["config"]["multus-site:site"]
    graph = graph_of(site, catalog=load_catalog(UPSTREAM))
    now = lines(state, *LINES)
    assert now == {name: said(graph[f"Command {name}"].inputs, *LINES) for name in now}
    assert not old.search(json.dumps(state))
    applied_again = applied.run("multus-site", "upgrade", "dallas")
    assert "nothing to do" in applied_again
    assert applied.export() == state


def test_one_version_everywhere_and_the_state_of_the_last_release():
    """What the package says; the newest heading of CHANGELOG.md, behind what is not released yet; the policy pack; the folder here."""
    headings = HEADING.findall((PROJECT / "CHANGELOG.md").read_text())
    released = [heading for heading in headings if heading != "Unreleased"]
    assert "Unreleased" not in headings[1:]
    assert released[0] == current()
    numbers = [tuple(map(int, heading.split("."))) for heading in released]
    assert numbers == sorted(numbers, reverse=True)
    assert [folder.name for folder in releases()] == released[::-1]
    assert yaml.safe_load((PROJECT / "policy" / "PulumiPolicy.yaml").read_text())["version"] == current()
    assert f"rev: v{current()}\n" in (PROJECT / "docs" / "linter.md").read_text()
    done = subprocess.run(
        [sys.executable, "-m", "multus_site", "--version"], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"multus-site {current()}\n"


def test_a_release_is_recorded_and_held_against_at_once(tmp_path):
    """What `python -m tests.releases.recording` will write for the next one: today's program finds nothing to do."""
    record(tmp_path / "9.9.9", tmp_path / "place")
    text = (tmp_path / "9.9.9" / "state.json").read_text()
    assert PRIVATE_KEY.splitlines()[1] not in text
    imported(tmp_path / "9.9.9", tmp_path / "again").pulumi("preview", "--expect-no-changes")
