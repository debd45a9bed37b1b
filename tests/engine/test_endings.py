"""How every command ends where a tool is missing, its output cannot be written, or somebody presses Ctrl-C: 0, 1 or 2 as documented, and never a traceback."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from multus_site.cli.commands import GROUPS

pytestmark = pytest.mark.engine

TYPED = {
    "addresses": [["dallas"], ["dallas", "--json"]],
    "adopt": [["--hosts", "127.0.0.5", "--user", "nobody"], ["--kubeconfig", "absent", "--name", "try"]],
    "comment": [["comment.md"]],
    "diagram": [["dallas"], ["dallas", "-o", "d.png"]],
    "doctor": [[]],
    "drift": [["dallas"]],
    "explain": [["pod", "default/a", "--kubeconfig", "absent"], ["pod", "default/a", "--site", "dallas"]],
    "init": [["fresh"]],
    "leaks": [["dallas"]],
    "lint": [["stacks/"], ["--explain", "RANGE_OUTSIDE_SUBNET"]],
    "mirror": [["plan", "--site", "stacks/Pulumi.dallas.yaml"], ["fetch", "m", "--site", "stacks/Pulumi.dallas.yaml"]],
    "new": [["austin", "--node", "node1=127.0.0.5", "--network", "core=ens6,10.20.0.0/24,10.20.0.1", "--scan"]],
    "policies": [["dallas"]],
    "release": [["dallas", "--yes"]],
    "review": [["dallas"], ["dallas", "--base", "HEAD"]],
    "schema": [[]],
    "show": [["dallas"]],
    "sites": [[], ["--since", "HEAD"]],
    "throughput": [["dallas"]],
    "trace": [["dallas"]],
    "upgrade": [["dallas"], ["--check"]],
    "verify": [["dallas"]],
}
"""Command → what is typed, so that each of its ways to a tool is gone."""

ASIDE = {
    "ssh": ("ssh", "ssh-"),
    "git": ("git", "git-"),
    "podman": ("podman",),
    "pulumi": ("pulumi",),
    "ansible": ("ansible", "ansible-"),
}
"""Tool → beginnings of the names of its programs; one that ends in a dash covers all that begin so."""

NEEDED = {
    "ssh": {"drift dallas", "leaks dallas"},
    "git": {"review dallas --base HEAD", "sites --since HEAD"},
    "podman": set(),
    "pulumi": {
        "drift dallas", "explain pod default/a --site dallas", "leaks dallas", "policies dallas", "release dallas --yes", "review dallas",
        "review dallas --base HEAD",
        "throughput dallas", "trace dallas", "upgrade --check", "upgrade dallas", "verify dallas",
    },
    "ansible": set(),
}  # fmt: skip
"""Tool → what cannot be done without it: exit status 2, and the tool is named."""

LINES = [[name, *words] for name, lines in TYPED.items() for words in lines]


def aside(name, tool):
    return any(name.startswith(p) if p.endswith("-") or p == "pulumi" else name == p for p in ASIDE[tool])


def path_without(tool, folder, path):
    """A PATH with everything that is on another one, but for a tool."""
    folder.mkdir()
    for part in filter(Path.is_dir, map(Path, path.split(os.pathsep))):
        for program in part.iterdir():
            if not aside(program.name, tool) and not (folder / program.name).is_symlink():
                (folder / program.name).symlink_to(program)
    return str(folder)


def typed(place, words, path=None, **options):
    """Exit status, standard output and standard error."""
    environment = place.environment()
    done = subprocess.run(
        [*place.before, sys.executable, "-m", "multus_site", *words],
        cwd=place.folder / "project",
        env={**environment, "PATH": path or environment["PATH"], "HOME": str(place.folder)},
        text=True,
        check=False,
        timeout=300,
        **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
    )
    return done.returncode, done.stdout or "", done.stderr or ""


def in_order(status, out, err):
    """What holds however a command ends."""
    return status in {0, 1, 2} and "Traceback" not in out + err and "error of multus-site" not in out + err


def fresh(once, folder):
    place = once.copy(folder)
    (place.folder / "project" / "comment.md").write_text("a text")
    return place


def test_every_command_is_typed():
    assert TYPED.keys() == {name for names in GROUPS.values() for name in names}
    assert {words for lines in NEEDED.values() for words in lines} <= {" ".join(words) for words in LINES}


@pytest.fixture(scope="module")
def whole(once, tmp_path_factory):
    """Line → how it ends with every tool there."""
    place = fresh(once, tmp_path_factory.mktemp("whole") / "place")
    ended = {" ".join(words): typed(place, words) for words in LINES}
    assert {line: its for line, its in ended.items() if not in_order(*its)} == {}
    return ended


@pytest.mark.parametrize("tool", ASIDE)
def test_without_a_tool_a_command_does_its_work_or_says_that_it_cannot(tool, once, whole, tmp_path):
    place = fresh(once, tmp_path / "place")
    path = path_without(tool, tmp_path / "bin", place.environment()["PATH"])
    assert shutil.which(tool, path=path) is None
    ended = {" ".join(words): typed(place, words, path) for words in LINES}
    wrong = {line: its for line, its in ended.items() if not in_order(*its)}
    for line, (status, out, err) in ended.items():
        if line in NEEDED[tool]:
            # 1 is for what was found besides, as `drift` and `upgrade --check` have it.
            if status not in {2, whole[line][0] or 2} or tool not in out + err:
                wrong[line] = (status, out, err)
        elif status != whole[line][0] and not line.startswith("doctor"):
            wrong[line] = (status, out, err)
    assert wrong == {}


def test_doctor_names_every_tool_that_is_missing(once, tmp_path):
    place = fresh(once, tmp_path / "place")
    for tool in ("ssh", "git", "pulumi"):
        path = path_without(tool, tmp_path / tool, place.environment()["PATH"])
        status, out, _ = typed(place, ["doctor"], path)
        assert any(line.split()[:2] in (["missing", tool], ["optional", tool]) for line in out.splitlines()), out
        assert status == (1 if tool == "pulumi" else status)


@pytest.fixture(scope="module")
def anywhere(once, tmp_path_factory):
    return fresh(once, tmp_path_factory.mktemp("outputs") / "place")


@pytest.mark.parametrize("line", [" ".join(words) for words in LINES])
def test_standard_output_that_cannot_be_written_is_2(line, anywhere, whole):
    """A full disk is said; a reader that left, such as `head`, is not: it does not want to know."""
    if not whole[line][1]:
        return  # it writes nothing there
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a descriptor
        status, _, err = typed(anywhere, line.split(), stdout=full)
    assert (status, in_order(status, "", err)) == (2, True), err
    assert "standard output cannot be written: No space left on device" in err
    read, write = os.pipe()
    os.close(read)
    try:
        status, _, err = typed(anywhere, line.split(), stdout=write)
    finally:
        os.close(write)
    assert (status, in_order(status, "", err)) == (2, True), err
    assert "Exception ignored" not in err


@pytest.mark.parametrize("line", ["--help", "--version", "drift --help", ""])
def test_help_into_a_closed_pipe_is_2_too(line, anywhere):
    read, write = os.pipe()
    os.close(read)
    status, _, err = typed(anywhere, line.split(), stdout=write)
    os.close(write)
    assert (status, in_order(status, "", err)) == (2, True), err


SLOW = """#!/bin/sh
# Any tool that takes long: it says that it was started.
touch @HERE@/started
exec sleep 60
"""


@pytest.mark.parametrize(
    ("line", "tool"),
    [
        ("drift dallas", "ssh"), ("drift dallas", "pulumi"), ("review dallas", "pulumi"), ("policies dallas", "pulumi"),
        ("verify dallas", "pulumi"), ("throughput dallas", "pulumi"), ("trace dallas", "pulumi"), ("upgrade dallas", "pulumi"),
        ("doctor", "pulumi"), ("sites --since HEAD", "git"), ("review dallas --base HEAD", "git"),
    ],
)  # fmt: skip
def test_ctrl_c_is_130_and_one_line(line, tool, once, tmp_path):
    place = fresh(once, tmp_path / "place")
    slow = tmp_path / "slow" / tool
    slow.parent.mkdir()
    slow.write_text(SLOW.replace("@HERE@", str(tmp_path)))
    slow.chmod(0o755)
    environment = place.environment(slow.parent)
    command = [*place.before, sys.executable, "-m", "multus_site", *line.split()]
    # A group of its own, as a terminal has it: Ctrl-C reaches the tool too.
    with subprocess.Popen(
        command, cwd=place.folder / "project", env=environment, text=True, process_group=0,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        while not (tmp_path / "started").exists():
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, "", "interrupted\n")


def test_a_question_that_nobody_answers_is_2(anywhere):
    status, out, err = typed(anywhere, ["new"])
    assert (status, in_order(status, out, err)) == (2, True)
