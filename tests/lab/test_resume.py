"""Down leaves nothing; killed at any moment, `make lab` ends in the same place. Only on a lab that was made for the tests."""

import os
import signal
import subprocess
import sys
import time

import pytest

from lab import segments
from lab.place import RUN
from lab.podman import containers
from lab.testing import MADE
from tests.lab.running import PROJECT, kept_of

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(MADE not in os.environ, reason="the lab was up before the tests; it stays as it is"),
]


def kill_group(process):
    """Ends `make lab` and all that it started in its group, as a closed terminal or the memory killer would."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def begin(until):
    """Starts `make lab` and returns it once a line of its output has come."""
    process = subprocess.Popen(
        [sys.executable, "-m", "lab", "up"],
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    for line in process.stdout:
        if until in line:
            return process
    raise AssertionError(f"make lab ended before it said {until!r}")


def left_on_the_host(nodes):
    """What of the lab the host still has. `nodes`: the ids of its containers."""
    rules = subprocess.run(["iptables-save"], capture_output=True, text=True, check=False).stdout
    links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    return {
        "namespace": segments.exists(),
        "run folder": RUN.exists(),
        "rules": [r for r in rules.splitlines() if "10.1.1." in r or "10.1.10." in r or "NETAVARK" in r],
        "links": [link for link in links.splitlines() if "podman" in link],
        **kept_of(nodes),
    }


NOTHING = {"namespace": False, "run folder": False, "rules": [], "links": [], "folders": [], "processes": []}


def test_down_leaves_nothing_on_the_host(lab):
    nodes = [container["Id"] for container in containers(lab.place)]
    there = kept_of(nodes)
    assert len(nodes) == 3 <= len(there["processes"])
    assert there["folders"]
    done = lab.make("down")
    assert done.returncode == 0, done.stderr
    assert left_on_the_host(nodes) == NOTHING
    again = lab.make("down")
    assert again.returncode == 0, again.stderr


@pytest.mark.parametrize("moment", ["node VMs: lab-node", "cluster: cluster.yml: ", "Multus: "])
def test_killed_it_goes_on(lab, moment):
    process = begin(moment)
    time.sleep(2)
    kill_group(process)
    if moment != "Multus: ":
        return
    done = lab.make("up")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "every check passed" in done.stdout
    lab.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")


def test_two_at_once_is_one_clear_line(lab):
    process = begin("what can be reached")
    try:
        done = lab.make("up")
    finally:
        process.communicate(timeout=300)
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert "is building the lab there" in line
