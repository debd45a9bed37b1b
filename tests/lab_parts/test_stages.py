"""Progress by stage: what a log shows, what the JSON file of a run holds."""

import io
import json

import pytest
from rich.console import Console

from lab.stages import Stages


def plain():
    output = io.StringIO()
    return Stages(Console(file=output, width=80), "up"), output


def test_a_log_gets_whole_lines_with_the_time_in_front():
    stages, output = plain()
    step = "a step with a name that is longer than the width of any terminal that people still use for reading logs"
    with stages.running(), stages.stage("mirror"):
        stages.report(step)
    lines = output.getvalue().splitlines()
    assert lines[0].endswith("] mirror")
    assert any(line.endswith(f"] mirror: {step}") for line in lines)
    assert "mirror: done in" in lines[-1]


def test_a_failed_stage_says_so_and_its_time_counts(tmp_path):
    stages, output = plain()

    def fails():
        with stages.running(), stages.stage("mirror"):
            raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        fails()
    assert "mirror: failed in" in output.getvalue()
    record = json.loads(stages.write(tmp_path).read_text())
    assert list(record["stages"]) == ["mirror"]


def test_the_record_of_a_run_names_command_start_stages_and_facts(tmp_path):
    stages, _ = plain()
    with stages.running():
        for name in ("toolchain", "mirror"):
            with stages.stage(name):
                pass
    record = json.loads(stages.write(tmp_path, changes={"create": 2}).read_text())
    assert record["command"] == "up"
    assert list(record["stages"]) == ["toolchain", "mirror"]
    assert record["changes"] == {"create": 2}
    assert record["seconds"] >= sum(record["stages"].values())


def test_a_stage_that_comes_twice_adds_up():
    stages, _ = plain()
    with stages.running():
        for _ in range(2):
            with stages.stage("cluster"):
                pass
    assert list(stages.times) == ["cluster"]


def test_markup_in_a_step_is_text():
    stages, output = plain()
    with stages.running(), stages.stage("cluster"):
        stages.report("task [bold]")
    assert "task [bold]" in output.getvalue()
