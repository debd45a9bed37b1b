"""What `Leave` rests on: what is replaced together with a machine is deleted before it, and left alone where what it runs on goes too."""

from __future__ import annotations

import pulumi
import pulumi_command as command
import pytest

pytestmark = pytest.mark.engine


def fleet(log, images, refuses=""):
    """Machines, the first of which the others leave through; a cluster of them; what they leave by."""

    def program():
        provider = command.Provider("command")
        machines = {}
        for name, image in images.items():
            machines[name] = command.local.Command(
                f"{name}-machine",
                create=f"echo make {name} >>{log}",
                delete=f"echo unmake {name} >>{log}",
                triggers=[image],
                opts=pulumi.ResourceOptions(provider=provider, delete_before_replace=True),
            )
        cluster = command.local.Command(
            "cluster",
            create=f"echo cluster >>{log}",
            stdin=pulumi.Output.all(*(m.id for m in machines.values())).apply(" ".join),
            opts=pulumi.ResourceOptions(provider=provider, depends_on=list(machines.values())),
        )
        for name, machine in machines.items():
            command.local.Command(
                f"{name}-leave",
                create="true",
                delete=f"echo {name} may not leave; exit 1" if name == refuses else f"echo leave {name} >>{log}",
                triggers=[machine.id],
                opts=pulumi.ResourceOptions(
                    provider=provider,
                    depends_on=[cluster],
                    deleted_with=machines["one"],
                    delete_before_replace=True,
                ),
            )

    return program


IMAGES = {"one": "a", "two": "a", "three": "a"}


def test_a_machine_that_is_replaced_leaves_before_it_goes(project, tmp_path):
    log = tmp_path / "log"
    project.up(fleet(log, IMAGES))
    log.unlink()
    assert project.up(fleet(log, {**IMAGES, "two": "b"})).ok
    assert log.read_text().splitlines() == ["leave two", "unmake two", "make two", "cluster"]


def test_one_that_may_not_leave_keeps_its_machine(project, tmp_path):
    """Though it is deleted with that same machine: that is being replaced, not destroyed."""
    log = tmp_path / "log"
    project.up(fleet(log, IMAGES, refuses="one"))
    log.unlink()
    done = project.up(fleet(log, {**IMAGES, "one": "b"}, refuses="one"))
    assert not done.ok
    assert "one may not leave" in done.text
    assert not log.exists()


def test_nobody_leaves_where_all_goes(project, tmp_path):
    log = tmp_path / "log"
    project.up(fleet(log, IMAGES, refuses="one"))
    log.unlink()
    assert project.destroy().ok
    assert sorted(log.read_text().splitlines()) == ["unmake one", "unmake three", "unmake two"]


def test_one_that_goes_for_good_leaves_before_its_machine(project, tmp_path):
    log = tmp_path / "log"
    project.up(fleet(log, IMAGES))
    log.unlink()
    assert project.up(fleet(log, {"one": "a", "two": "a"})).ok
    assert log.read_text().splitlines() == ["cluster", "leave three", "unmake three"]
