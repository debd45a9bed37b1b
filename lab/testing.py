"""`make test`: run all tests, with a lab that is brought up for them if none is up and this machine can run it."""

import os
import subprocess
import sys

from rich.console import Console

from lab import segments
from lab.cache import LabError
from lab.place import Place

MADE = "MULTUS_SITE_LAB_MADE_FOR_TESTS"
"""Set for pytest if the lab was brought up for the tests, which then take it down (tests/conftest.py)."""


def test(place: Place, console: Console) -> int:
    """Runs pytest, and returns its exit status."""
    variables = dict(os.environ)
    reason = _lab_for_tests(place, console, variables)
    if reason:
        console.print(f"Tests of the lab are skipped: {reason}", markup=False)
        variables["MULTUS_SITE_NO_LAB"] = reason
    # Many tests mostly wait, so run two processes; one of them uses the lab (tests/conftest.py).
    command = [sys.executable, "-m", "pytest", "--numprocesses", "2", "--dist", "loadscope", "--no-loadscope-reorder"]
    return subprocess.run(command, cwd=place.project, env=variables, check=False).returncode


def _lab_for_tests(place: Place, console: Console, variables: dict[str, str]) -> str:
    """Brings up a lab. Returns the reason if there is none, else an empty string."""
    if os.geteuid() != 0:
        return "they need root (sudo make test)"
    from lab.up import refuse, up

    try:
        refuse(place)
    except LabError as error:
        return str(error).replace("\n", "; ")
    if not segments.exists():
        variables[MADE] = "1"
    up(place, console)
    return ""
