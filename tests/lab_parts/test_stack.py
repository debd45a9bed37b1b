"""Engine events become stages; what pulumi said was wrong comes out once."""

import io

from rich.console import Console

from lab.stack import Watched, _why
from lab.stages import Stages


def watched():
    stages = Stages(Console(file=io.StringIO()), "up")
    return Watched(stages), stages


def step(types, name, op="create"):
    urn = f"urn:pulumi:lab::multus-site::{types}::{name}"
    return {"resourcePreEvent": {"metadata": {"urn": urn, "op": op, "logical": True}}}


SITE = "multus-site:index:Site"


def test_each_component_has_its_stage_in_the_order_of_the_graph():
    watch, stages = watched()
    watch.take(step(f"{SITE}$multus-site:index:NodeVM$command:local:Command", "lab-node1-machine"))
    watch.take(step(f"{SITE}$multus-site:index:NodeVM$command:remote:Command", "lab-node1-facts"))
    watch.take(step(f"{SITE}$multus-site:index:KubesprayCluster$command:local:Command", "lab-kubernetes-kubespray"))
    watch.take(step(f"{SITE}$multus-site:index:Multus$kubernetes:apps/v1:DaemonSet", "lab-multus"))
    watch.close()
    assert list(stages.times) == ["node VMs", "cluster", "Multus"]


def test_what_stays_the_same_and_components_themselves_begin_no_stage():
    watch, stages = watched()
    watch.take(step(f"{SITE}$multus-site:index:NodeVM$command:local:Command", "lab-node1-machine", op="same"))
    watch.take(step(f"{SITE}$multus-site:index:NodeVM", "lab-node1"))
    watch.take(step("pulumi:pulumi:Stack", "multus-site-lab"))
    watch.close()
    assert stages.times == {}


def test_changes_are_counted_without_noughts():
    watch, _ = watched()
    watch.take({"summaryEvent": {"resourceChanges": {"create": 3, "same": 0}}})
    assert watch.changes == {"create": 3}


def test_an_error_comes_out_once_with_the_log(tmp_path):
    watch, _ = watched()
    for message in ("exit status 1: no image", "exit status 1: no image", "update failed"):
        watch.take({"diagnosticEvent": {"severity": "error", "message": message + "\n"}})
    text = _why(tmp_path / "pulumi-up.log", watch.errors, "up")
    assert text.splitlines() == [
        "pulumi up did not finish:",
        "exit status 1: no image",
        f"The whole log: {tmp_path / 'pulumi-up.log'}",
    ]


def test_without_an_error_event_the_log_s_last_lines_speak(tmp_path):
    log = tmp_path / "pulumi-up.log"
    log.write_text("one\ntwo\nerror: the stack is locked\n")
    assert "error: the stack is locked" in _why(log, [], "up")
