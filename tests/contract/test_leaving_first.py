"""What `Leave` rests on: what is replaced together with a machine is deleted before it, and left alone where what it runs on goes too."""

from __future__ import annotations

import pulumi
import pulumi_command as command
import pytest

pytestmark = pytest.mark.engine


def fleet(log, images, fails=""):
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
                delete=f"echo leave {name} >>{log}" + ("; exit 1" if name == fails else ""),
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
    assert project.preview(fleet(log, {**IMAGES, "two": "b"})).ok
    done = project.up(fleet(log, {**IMAGES, "two": "b"}))
    print(done.steps)
    assert log.read_text().splitlines() == ["leave two", "unmake two", "make two", "cluster"]


def test_first(project, tmp_path):
    log = tmp_path / "log"
    project.up(fleet(log, IMAGES, fails="one"))
    log.unlink()
    done = project.up(fleet(log, {**IMAGES, "one": "b"}, fails="one"))
    print(done.steps, done.text)
    print(log.read_text())
    log.unlink()
    done = project.destroy()
    print(done.steps, done.text)
    print(log.read_text())
    assert 0
