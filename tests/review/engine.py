"""What a preview would say, worked out of two recorded graphs: quick, and without the CLI. tests/engine/test_review.py asks the real one."""

import json
from dataclasses import replace

import pulumi
from google.protobuf import json_format

from lab.standins.differences import changes
from lab.standins.kubernetes.immutable import replaces
from multus_site.kubespray.document import Document
from multus_site.kubespray.plan import as_applied, plan
from multus_site.kubespray.record import Record
from multus_site.kubespray.refusals import refused_recreations
from multus_site.model.load import parse_site
from multus_site.review.compose import compose
from multus_site.review.data import Playbook
from multus_site.review.effects import Change
from multus_site.review.preview import read
from tests.graph.recording import Answers, record


class Seen(Answers):
    """Keeps the runner's document; says after how many runs of Kubespray the cluster is as it is."""

    def __init__(self, runs):
        self.runs, self.document = runs, None

    def new_resource(self, args):
        if args.name.endswith("-kubernetes-kubespray"):
            self.document = Document.parse(args.inputs["stdin"]["value"])
        identity, outputs = super().new_resource(args)
        if args.name.endswith("-kubernetes-kubespray"):
            outputs["stdout"] = json.dumps({"site": "lab", "runs": self.runs})
        return identity, outputs


def inputs(node):
    found = json_format.MessageToDict(node.inputs) if not isinstance(node.inputs, dict) else node.inputs
    return {key: value for key, value in found.items() if key != "__inputs"}


def graph_of(data, runs, variables=None):
    seen = Seen(runs)
    graph = record(data, answers=seen, kubespray_variables=variables)
    return {(node.type, name.partition(" ")[2]): node for name, node in graph.items()}, seen.document


def urn(node):
    owner = f"multus-site:index:{node.parent.partition(' ')[0]}$" if node.parent else ""
    return f"urn:pulumi:lab::multus-site::{owner}{node.type}::{node.name}"


def step(op, node, before, after, paths):
    states = {"oldState": {"inputs": before}, "newState": {"inputs": after}}
    reasons = {"replaceReasons": paths} if op == "replace" else {"detailedDiff": {key: {} for key in paths}}
    return {"op": op, "urn": urn(node), **states, **reasons}


def steps(old, new):
    """Steps from one graph to another, in the second one's order."""
    for key, node in new.items():
        before, after = inputs(old[key]) if key in old else {}, inputs(node)
        if key not in old:
            yield step("create", node, {}, after, [])
            continue
        paths = [path for path, _ in changes(before, after)]
        if not paths:
            yield step("same", node, before, after, [])
            continue
        forcing = [path for path in paths if path.startswith("triggers")]
        if node.type.startswith("kubernetes:"):
            forcing = [path for path in paths if replaces(after, path, frozenset())]
        yield step("replace" if forcing else "update", node, before, after, forcing or paths)
    for key, node in old.items():
        if key not in new:
            yield step("delete", node, inputs(node), {}, [])


def is_replaced(name, old, new):
    """Whether a machine is made anew."""
    return any(s["op"] == "replace" and s["urn"].endswith(f"::{name}") for s in steps(old, new) if s["op"] != "delete")


def review(old, new, **more):
    """The review of a change of a site's data; `old` None: it is new."""
    sites = [parse_site(data, source="a test") if data else None for data in (old, new)]
    before, applied = graph_of(old, 1) if old else ({}, None)
    runs, errors = [], []
    try:
        after, document = graph_of(new, 1)
        record_of = Record("lab", 1, as_applied(applied, None)) if applied else Record("lab")
        anew = {node for node in document.hosts if is_replaced(f"lab-{node}-machine", before, after)}
        errors = refused_recreations(record_of.applied, anew) if applied else []
        identities = {node: "" if node in anew else identity for node, identity in document.identities.items()}
        runs = [] if errors else plan(record_of.applied, replace(document, identities=identities))
        if runs and old:
            after, _ = graph_of(new, 2)
    except (pulumi.RunError, ValueError, Exception) as error:  # what a program ends with, a preview says
        after, errors = before, [str(error)]
    found = list(steps(before, after)) if not errors else []
    counts = {op: sum(s["op"] == op for s in found) for op in dict.fromkeys(s["op"] for s in found)}
    said = [{"severity": "error", "message": text} for text in errors]
    rows = [
        Playbook(
            run.playbook,
            run.hosts,
            run.limit,
            run.reason,
            str(run.extra.get("node", "")) if run.leaver else "",
            run.creates,
        )
        for run in runs
    ]
    seen = read({"steps": found, "diagnostics": said, "changeSummary": counts})
    catalogs = [more.pop("catalog")] * 2 if "catalog" in more else []
    return compose(
        "lab", "as a test has it", Change(*sites, *catalogs), seen, rows, **{"stateless": "" if old else "new", **more}
    )
