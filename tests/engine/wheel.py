"""The wheel of this checkout in an empty environment; what it needs comes from the package index that pip is configured for."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]


def install(environment):
    """Creates a virtual environment at a path that is not there yet, with the wheel and what `pulumi up` needs."""
    with tempfile.TemporaryDirectory() as folder:
        pip(sys.executable, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ".")
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)
        (wheel,) = Path(folder).iterdir()
        pip(environment / "bin" / "python", "install", "--constraint", "constraints.txt", f"{wheel}[pulumi]")


def pip(python, *arguments):
    """pip in this checkout. Skips where no index answers."""
    done = subprocess.run(
        [python, "-m", "pip", *map(str, arguments), "--quiet", "--disable-pip-version-check"],
        cwd=PROJECT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode and re.search(r"Connection|Could not fetch", done.stderr):
        pytest.skip(f"the package index does not answer: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
