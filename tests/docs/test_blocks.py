"""What pages tell people to type can be typed: every command of ours is parsed, and every whole site is linted."""

import base64
import itertools
import re
import shlex
from pathlib import Path

import pytest
from typer._click.exceptions import ClickException
from typer.main import get_command

from multus_site.__main__ import app
from multus_site.lint.files import Linter

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "examples" / "README.md"]
COMMAND = re.compile(r"^\s*(?:\$ )?((?:[A-Z_]+=\S+ )*multus-site (?:[^\\\n]|\\\n)*)", re.MULTILINE)


def blocks(page):
    """The code of a page: fenced, or indented by four spaces."""
    text = page.read_text()
    yield from re.findall(r"^ *```(\w*)\n(.*?)^ *```", text, flags=re.DOTALL | re.MULTILINE)
    rest = re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE)
    yield from (("", block) for block in re.findall(r"(?:^    .*\n)+", rest, flags=re.MULTILINE))


def commands():
    for page in PAGES:
        for language, block in blocks(page):
            for found in COMMAND.findall(block) if language in {"", "sh", "bash", "console"} else ():
                if not re.search(r"\[-|\[[A-Z]|\.\.\.|…", found):  # how a command is called in general
                    yield pytest.param(found.replace("\\\n", " "), id=f"{page.name}: {' '.join(found.split())[:60]}")


def inline():
    """Commands in sentences, which may lack an argument."""
    for page in PAGES:
        prose = re.sub(r"^ *```.*?^ *```|^    .*$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
        for found in dict.fromkeys(re.findall(r"`multus-site ([a-z][^`]*)`", prose)):
            yield pytest.param(found, id=f"{page.name}: {found[:60]}")


def sites():
    for page in PAGES:
        numbers = itertools.count(1)
        for language, block in blocks(page):
            if (
                language in {"", "yaml"}
                and "multus-site:site:" in block
                and re.search(r"^ +hosts:", block, re.MULTILINE)
            ):
                yield pytest.param(block, id=f"{page.name}: site {next(numbers)}")


@pytest.mark.parametrize("line", commands())
def test_a_command_can_be_typed(line):
    words = shlex.split(line, comments=True)
    words = words[words.index("multus-site") + 1 :]
    end = next((i for i, word in enumerate(words) if word in {"|", ">", "<", ">>", "&&", ";", "2>"}), len(words))
    context = None
    command, words = get_command(app), words[:end]
    try:
        while words and hasattr(command, "get_command") and not words[0].startswith("-"):
            context = command.make_context("multus-site", [], parent=context, resilient_parsing=True)
            name, *words = words
            command = command.get_command(context, name)
            assert command is not None, f"no command {name}"
        if not hasattr(command, "get_command"):
            command.make_context(str(command.name), words, parent=context)
    except ClickException as error:
        pytest.fail(error.format_message())


@pytest.mark.parametrize("line", inline())
def test_a_command_in_a_sentence_is_there(line):
    command, words = get_command(app), line.split()
    while words and hasattr(command, "get_command") and not words[0].startswith("-"):
        name, *words = words
        command = command.get_command(None, name)
        assert command is not None, f"no command {name}"
    known = {option for parameter in command.params for option in parameter.opts} | {"--help", "-h"}
    assert {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)} <= known


@pytest.mark.parametrize("block", sites())
def test_a_site_has_no_errors(block):
    numbers = itertools.count(1)

    def key(_):
        blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + next(numbers).to_bytes(32, "big")
        return f"ssh-ed25519 {base64.b64encode(blob).decode()}"

    linter = Linter()
    linter.add(re.sub(r"ssh-ed25519 AAAA\w*…", key, block), "Pulumi.example.yaml")
    assert [str(finding) for finding in linter.findings() if finding.level == "error"] == []


def test_there_is_something_to_test():
    assert len(list(commands())) > 30
    assert len(list(inline())) > 20
    assert any("README.md" in param.id for param in sites())
