"""`command:local:Command` and `command:local:run`: a command's life, on this machine."""

from __future__ import annotations

import time

import pulumi
import pulumi_command as command
import pytest

pytestmark = pytest.mark.engine


def with_provider(**other):
    return pulumi.ResourceOptions(provider=command.Provider("command"), **other)


def local(name="it", options=None, **arguments):
    def program():
        made = command.local.Command(name, opts=with_provider(**(options or {})), **arguments)
        pulumi.export("stdout", made.stdout)
        pulumi.export("stderr", made.stderr)

    return program


def test_runs_create_then_nothing_then_update_then_delete(project, tmp_path):
    log = tmp_path / "log"

    def program(version, **other):
        return local(
            create=f"echo create >>{log}; echo out; echo err >&2",
            update=f"echo update-{version} >>{log}; echo out-{version}",
            delete=f'echo "delete after $PULUMI_COMMAND_STDOUT" >>{log}',
            environment={"VERSION": version},
            **other,
        )

    first = project.up(program("1"))
    assert first.ok, first.text
    assert first.outputs == {"stdout": "out", "stderr": "err"}
    assert project.up(program("1")).changes == []
    changed = project.up(program("2"))
    assert changed.changes == [("update", "it")]
    assert changed.outputs["stdout"] == "out-2"
    assert project.destroy().ok
    assert log.read_text().splitlines() == ["create", "update-2", "delete after out-2"]


def test_update_runs_create_where_there_is_no_update(project):
    assert project.up(local(create="echo one")).outputs["stdout"] == "one"
    assert project.up(local(create="printf 'two\\n\\n'")).outputs["stdout"] == "two\n"


def test_input_and_interpreter_and_directory(project, tmp_path):
    outcome = project.up(
        local(create="cat; pwd; echo $0", stdin="fed\n", dir=str(tmp_path), interpreter=["/bin/bash", "-c"])
    )
    assert outcome.outputs["stdout"] == f"fed\n{tmp_path}\n/bin/bash"


def test_failed_create_leaves_no_state(project):
    outcome = project.up(local(create="echo before; echo trouble >&2; exit 3"))
    assert not outcome.ok
    assert 'exit status 3: running "echo before; echo trouble >&2; exit 3"' in outcome.text
    assert "trouble" in outcome.text
    assert project.resources() == {}
    assert project.up(local(create="echo fine")).changes == [("create", "it")]


def test_failed_update_keeps_the_old_state(project):
    assert project.up(local(create="echo one")).ok
    assert not project.up(local(create="exit 4")).ok
    assert project.resources()["it"]["outputs"]["stdout"] == "one"
    assert project.resources()["it"]["inputs"]["create"] == "echo one"


def test_triggers_replace(project, tmp_path):
    log = tmp_path / "log"

    def program(trigger, **options):
        return local(
            create=f"echo create {trigger} >>{log}",
            delete=f"echo delete {trigger} >>{log}",
            triggers=[trigger],
            options=options,
        )

    assert project.up(program("a")).ok
    assert project.up(program("b")).count()["create-replacement"] == 1
    assert project.up(program("c", delete_before_replace=True)).count()["create-replacement"] == 1
    # The new one first, unless the old one is to be deleted before.
    assert log.read_text().splitlines() == ["create a", "create b", "delete a", "delete b", "create c"]


def test_output_is_unknown_at_preview_only_when_it_may_change(project):
    def program(first):
        def graph():
            options = with_provider()
            one = command.local.Command("one", create=f"echo {first}", opts=options)
            command.local.Command("two", create=one.stdout.apply(lambda text: f"echo got {text}"), opts=options)
            pulumi.export("one", one.stdout)

        return graph

    fresh = project.preview(program("1"))
    assert fresh.count()["create"] == 2
    assert project.up(program("1")).outputs["one"] == "1"
    assert project.preview(program("1")).changes == []
    assert project.preview(program("2")).changes == [("update", "one"), ("update", "two")]


def test_preview_runs_nothing(project, tmp_path):
    assert project.preview(local(create=f"touch {tmp_path}/ran")).ok
    assert not (tmp_path / "ran").exists()


def test_secret_input_is_not_in_the_state(project):
    def program():
        command.local.Command(
            "it",
            create='test "${#TOKEN}" = 11',
            stdin=pulumi.Output.secret("swordfish"),
            environment={"TOKEN": pulumi.Output.secret("open-sesame"), "PLAIN": "seen"},
            opts=with_provider(),
        )

    assert project.up(program).ok
    assert "open-sesame" not in project.state()
    assert "swordfish" not in project.state()
    assert '"seen"' in project.state()
    assert project.up(program).changes == []


def test_custom_timeout_ends_the_command(project):
    started = time.monotonic()
    outcome = project.up(local(create="exec sleep 60", options={"custom_timeouts": pulumi.CustomTimeouts(create="2s")}))
    assert not outcome.ok
    assert time.monotonic() - started < 30
    assert project.resources() == {}


def test_run_runs_at_preview_and_up(project, tmp_path):
    def program():
        done = command.local.run_output(
            command=f"echo x >>{tmp_path}/ran; wc -l <{tmp_path}/ran",
            opts=pulumi.InvokeOptions(provider=command.Provider("command")),
        )
        pulumi.export("lines", done.stdout)

    assert project.preview(program).ok
    before = int((tmp_path / "ran").read_text().count("x"))
    assert int(project.up(program).outputs["lines"]) > before
