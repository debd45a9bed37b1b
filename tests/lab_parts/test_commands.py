"""Programs that break things on a lab: one at a time, and a killed one undoes what it did."""

import os
import signal
import subprocess
import sys

import pytest

from lab.cache import Cache, LabError
from lab.commands import Done, exclusive
from lab.place import Place

PROGRAM = """
import sys, time
from pathlib import Path
from lab.cache import Cache
from lab.commands import exclusive
from lab.place import Place
try:
    with exclusive(Place(Path(sys.argv[1]), Cache.default())):
        print("at work", flush=True)
        time.sleep(60)
except KeyboardInterrupt:
    print("undone", flush=True)
"""


def test_a_second_one_is_refused_and_a_killed_one_undoes_what_it_did(tmp_path):
    first = subprocess.Popen([sys.executable, "-c", PROGRAM, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert first.stdout.readline() == "at work\n"
        with (
            pytest.raises(LabError, match=f"process {first.pid} is breaking things on this lab"),
            exclusive(Place(tmp_path, Cache.default())),
        ):
            pass
        os.kill(first.pid, signal.SIGTERM)
        assert first.communicate(timeout=30)[0] == "undone\n"
    finally:
        first.kill()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with exclusive(Place(tmp_path, Cache.default())):
            pass
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


@pytest.mark.parametrize(
    ("done", "last"), [(Done(0, "a\nb\n", ""), "b"), (Done(1, "a", "x\ny\n"), "y"), (Done(0, "", " "), "no output")]
)
def test_the_last_line_is_that_of_the_errors_if_there_are_any(done, last):
    assert done.last == last
