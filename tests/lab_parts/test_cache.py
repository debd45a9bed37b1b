"""The cache folder: publication by rename, one builder at a time, commands that fail with one line."""

import errno
import os
import subprocess
import sys
import time

import pytest

from lab.cache import Cache, LabError, stamp


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path / "cache")


def test_stamp_tells_where_one_input_ends_and_the_next_begins():
    assert stamp("ab", "c") != stamp("a", "bc")
    assert stamp("a", b"b") == stamp("a", "b")


def test_what_is_published_is_whole(cache):
    target = cache.built / "tool-1"
    with cache.publish(target) as scratch:
        scratch.mkdir()
        (scratch / "program").write_text("1")
        assert not target.exists()
    assert (target / "program").read_text() == "1"
    assert not list(cache.temporary.iterdir())


def test_a_failed_build_leaves_nothing(cache):
    target = cache.built / "tool-1"

    def build():
        with cache.publish(target) as scratch:
            scratch.mkdir()
            (scratch / "program").write_text("1")
            raise ValueError("half done")

    with pytest.raises(ValueError, match="half done"):
        build()
    assert not target.exists()
    assert not list(cache.temporary.iterdir())


def test_a_full_disk_is_one_line(cache):
    with pytest.raises(LabError, match=r"the disk is full. Free some space"), cache.publish(cache.built / "tool-1"):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_the_second_builder_is_told_who_the_first_is(cache):
    code = (
        "import sys, time; from pathlib import Path; from lab.cache import Cache\n"
        "with Cache(Path(sys.argv[1])).lock():\n    print('locked', flush=True); time.sleep(30)"
    )
    with subprocess.Popen([sys.executable, "-c", code, cache.root], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "locked\n"
        with pytest.raises(LabError, match=f"process {other.pid} is building the lab there"), cache.lock():
            pass
        other.kill()
        other.wait()
    with cache.lock():
        pass


def test_a_killed_builder_leaves_a_cache_that_goes_on(cache):
    code = (
        "import sys, time; from pathlib import Path; from lab.cache import Cache\n"
        "cache = Cache(Path(sys.argv[1]))\n"
        "with cache.lock(), cache.publish(cache.built / 'tool-1') as scratch:\n"
        "    scratch.mkdir(); (scratch / 'program').write_text('half'); print('building', flush=True); time.sleep(30)"
    )
    with subprocess.Popen([sys.executable, "-c", code, cache.root], stdout=subprocess.PIPE, text=True) as builder:
        assert builder.stdout.readline() == "building\n"
        builder.kill()
    assert list(cache.temporary.iterdir())
    with cache.lock():
        assert not (cache.built / "tool-1").exists()
        assert not cache.temporary.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can end all that a command has started")
def test_a_command_and_what_it_started_die_with_the_lab(cache, tmp_path):
    cache.root.mkdir()
    held = tmp_path / "held"
    # the lock is held by a process that the command has started, for as long as that lives
    command = 'flock "$0" sleep 60 & wait'
    code = (
        "import sys; from pathlib import Path; from lab.cache import Cache\n"
        f"Cache(Path(sys.argv[1])).run('slow', ['sh', '-c', {command!r}, sys.argv[2]])"
    )

    def is_held():
        return subprocess.run(["flock", "--nonblock", held, "true"], check=False).returncode != 0

    with subprocess.Popen([sys.executable, "-c", code, cache.root, held]) as builder:
        _wait(is_held)
        builder.kill()
    _wait(lambda: not is_held())


def test_a_failed_command_says_its_last_lines_and_where_the_rest_is(cache):
    with pytest.raises(LabError) as error:
        cache.run("step", ["sh", "-c", "for n in 1 2 3 4 5; do echo line $n >&2; done; exit 3"])
    assert str(error.value) == (
        f"step failed: line 3 / line 4 / line 5. The whole log: {cache.logs / 'step.log'}. Fix the cause, then run the same command again."
    )


def test_a_link_is_replaced(cache, tmp_path):
    for name in ("old", "new"):
        (tmp_path / name).write_text(name)
        cache.link(tmp_path / name, "tool")
    assert (cache.bin / "tool").read_text() == "new"


def test_older_builds_of_the_same_thing_go(cache):
    names = [f"tool-{stamp('1')}", f"tool-{stamp('2')}", f"tool-other-{stamp('1')}", "tool-official-1.0"]
    for name in names:
        (cache.built / name).mkdir(parents=True)
    cache.drop_older(cache.built / names[1], "tool-")
    assert sorted(path.name for path in cache.built.iterdir()) == sorted(names[1:])


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(LabError, match=r"Set \$MULTUS_SITE_CACHE to a writable folder"),
        Cache(tmp_path / "file" / "cache").lock(),
    ):
        pass


def _wait(condition):
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_what_a_command_leaves_half_made_is_emptied_with_the_rest(cache):
    cache.run("step", ["sh", "-c", 'echo half > "$TMPDIR/half"'])
    assert (cache.temporary / "half").exists()
    with cache.lock():
        assert not cache.temporary.exists()
