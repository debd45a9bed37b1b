"""Command lines that earlier releases recorded in a stack's state, rewritten."""

from pathlib import Path

import pytest

from multus_site.review.recorded_commands import MODULES, StateError, rewrite

PROJECT = Path(__file__).parents[2]
BEFORE = 'p=.venv/bin/python; [ -x "$p" ] || p=python3; exec '
URN = "urn:pulumi:dallas::multus-site::command:local:Command::dallas-cni-plugins-install"


def state(inputs, kind="command:local:Command", **deployment):
    resource = {"urn": URN, "type": kind, "inputs": inputs, "outputs": {**inputs, "stdout": "{}"}}
    return {"version": 3, "deployment": {"resources": [resource], **deployment}}


@pytest.mark.parametrize(("old", "new"), MODULES.items())
def test_every_module_of_earlier_releases_has_its_new_name(old, new):
    given = state({"create": f'{BEFORE}timeout -k 10 600 "$p" -m {old}', "delete": f'{BEFORE}"$p" -m {old} remove'})
    written, changed = rewrite(given)
    now = {
        "create": f'{BEFORE}timeout -k 10 600 "$p" -m multus_site.{new}',
        "delete": f'{BEFORE}"$p" -m multus_site.{new} remove',
    }
    assert changed == ["dallas-cni-plugins-install"]
    assert written == state(now)
    assert rewrite(written) == (written, [])


def test_lines_of_others_stay():
    for given in (
        state({"create": "python -m delivery apply"}),
        state({"create": f'{BEFORE}"$p" -m deliverance apply'}),
        state({"create": f'{BEFORE}"$p" -m delivery apply; reboot'}),
        state({"create": f'{BEFORE}"$p" -m delivery apply'}, kind="command:remote:Command"),
        {"version": 3, "deployment": {"manifest": {}}},
        {"version": 3, "deployment": None},
    ):
        assert rewrite(given) == (given, [])


def test_pending_operations_are_refused():
    with pytest.raises(StateError, match="pending operations; run `pulumi refresh`"):
        rewrite(state({}, pending_operations=[{"type": "creating"}]))


@pytest.mark.parametrize(("old", "new"), MODULES.items())
def test_a_checkout_forwards_every_old_name(old, new):
    assert f'run_module("multus_site.{new}", run_name="__main__")' in (PROJECT / f"{old}.py").read_text()
