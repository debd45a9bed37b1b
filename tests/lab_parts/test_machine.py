"""One clear line for each reason why the lab can't run; variables only for what a machine can't do."""

from dataclasses import replace
from pathlib import Path

import pytest

from lab import machine

CACHE = Path("/cache")
GOOD = machine.Machine(
    root=True,
    architecture="x86_64",
    cores=2,
    free=20 * machine.GIGABYTE,
    warm=False,
    podman=True,
    missing=(),
    cgroup_v2=True,
    swap=False,
    sys_resource=True,
    nofile=1048576,
)


def test_a_good_machine_has_no_problem():
    assert machine.problems(GOOD, CACHE) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"root": False}, "sudo make lab"),
        ({"architecture": "aarch64"}, "architecture aarch64: the lab's nodes are amd64"),
        ({"cores": 1}, "1 core: three nodes need 2"),
        ({"free": 14 * machine.GIGABYTE}, "14.0 GB free for /cache: the lab needs 15 GB"),
        ({"free": 4 * machine.GIGABYTE, "warm": True}, "4.0 GB free for /cache: the lab needs 5 GB"),
        ({"podman": False}, "Install podman"),
        ({"missing": ("macvlan", "overlay")}, "has no macvlan, overlay"),
        ({"swap": True, "cgroup_v2": False}, "swapoff -a"),
    ],
)
def test_each_problem_is_one_line(change, words):
    [line] = machine.problems(replace(GOOD, **change), CACHE)
    assert words in line
    assert "\n" not in line


def test_all_problems_come_at_once():
    bad = replace(GOOD, root=False, architecture="riscv64", cores=1, free=0, podman=False)
    assert len(machine.problems(bad, CACHE)) == 5


def test_what_was_built_before_needs_no_room_again():
    assert machine.problems(replace(GOOD, free=6 * machine.GIGABYTE, warm=True), CACHE) == []


@pytest.mark.parametrize(
    ("change", "variable", "value"),
    [
        ({"cgroup_v2": False}, "kubelet_fail_cgroup_v1", False),
        ({"swap": True}, "kubelet_fail_swap_on", False),
        ({"sys_resource": False}, "containerd_extra_runtime_args", {"restrict_oom_score_adj": True}),
        ({"nofile": 20000}, "containerd_base_runtime_spec_rlimit_nofile", 20000),
    ],
)
def test_a_variable_for_what_the_machine_cannot_do(change, variable, value):
    plain = machine.kubespray_variables(GOOD)
    assert variable not in plain
    assert machine.kubespray_variables(replace(GOOD, **change)) == {**plain, variable: value}


def test_this_machine_can_be_read(tmp_path):
    found = machine.detect(tmp_path / "not" / "there")
    assert found.cores >= 1
    assert found.free > 0
    assert not found.warm


@pytest.mark.parametrize(("mask", "has"), [("000001fffeffffff", False), ("000001ffffffffff", True)])
def test_a_capability_is_read_from_the_mask(mask, has):
    status = f"CapInh:\t0000000000000000\nCapEff:\t{mask}\n"
    assert machine._capable(status, machine.CAP_SYS_RESOURCE) is has
