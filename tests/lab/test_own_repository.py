"""The lab's stack from a repository outside the checkout, with multus-site from its wheel: nothing changes, and what is new is applied."""

import json

import pytest

from tests.lab.running import told

pytestmark = pytest.mark.lab

WORKLOAD = """
      visitor:
        image: docker.io/library/busybox:1.36
        command: [tail, -f, /dev/null]
        networks: [macvlan-internal]
        nodes: [node2]
        resources: {requests: {cpu: 10m, memory: 16Mi}, limits: {memory: 16Mi}}
"""
"""Another workload for the lab's site."""


def typed(lab, repository, *command, check=True):
    """A command typed in the repository."""
    return lab.run("env", "-C", str(repository), *command, check=check)


def test_nothing_changes_where_a_checkout_applied_the_stack(lab, repository):
    preview = ("pulumi", "preview", "--json", "--expect-no-changes", "--non-interactive", "--color", "never")
    seen = json.loads(typed(lab, repository, *preview).stdout)
    assert seen["changeSummary"].keys() <= {"same", "read"}
    assert "samplepod" in typed(lab, repository, ".venv/bin/multus-site", "verify", "lab").stdout


def test_a_workload_is_applied_verified_and_removed(lab, repository):
    file = repository / "stacks" / "Pulumi.lab.yaml"
    before = file.read_text()
    up = ("pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--color", "never")
    assert before.count("\n    workloads:\n") == 1
    file.write_text(before.replace("\n    workloads:\n", f"\n    workloads:{WORKLOAD}", 1))
    try:
        done = typed(lab, repository, *up, check=False)
        assert done.returncode == 0, told(done.stdout + done.stderr)
        shown = json.loads(typed(lab, repository, ".venv/bin/multus-site", "verify", "lab", "--format", "json").stdout)
        assert {check["workload"] for check in shown["checks"] if check["check"] == "gateway-ping"} == {
            "samplepod",
            "visitor",
        }
    finally:
        file.write_text(before)
        done = typed(lab, repository, *up, check=False)
    assert done.returncode == 0, told(done.stdout + done.stderr)
    assert lab.get("pods", "-l", "app.kubernetes.io/name=visitor")["items"] == []
