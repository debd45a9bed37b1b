"""What multus_site/scripts/libvirt.sh does with machines, on a hypervisor that only says that it does; with libvirt itself: tests/vm."""

import pytest

from tests.scripts.libvirt_programs import Hypervisor

OURS = {"NAME": "dallas-west-node1", "SITE": "dallas", "NODE": "west-node1"}
OF_ANOTHER_SITE = {**OURS, "SITE": "dallas-west", "NODE": "node1"}
OF_ANOTHER_CHECKOUT = {**OURS, "HOST_KEY_PUBLIC": "ssh-ed25519 theirs"}


@pytest.fixture
def kvm(tmp_path):
    return Hypervisor(tmp_path).with_libvirt()


def done(kvm, argument, **variables):
    made = kvm.run(argument, **variables)
    assert made.returncode == 0, made.stderr
    return made.stdout.split()


def refused(kvm, argument, **variables):
    made = kvm.run(argument, **variables)
    assert made.returncode != 0
    assert made.stdout == ""
    return made.stderr.partition(": hypervisor ")[2].partition(": ")[2].strip()


@pytest.mark.parametrize("another", [OF_ANOTHER_SITE, OF_ANOTHER_CHECKOUT])
def test_a_machine_of_another_stack_is_neither_taken_over_nor_removed(kvm, another):
    uuid, made = done(kvm, "make", **OURS)
    folder = kvm.machine("dallas-west-node1")
    said = refused(kvm, "make", **{**another, "MEMORY": "8192"})
    assert said.startswith(
        "the machine dallas-west-node1 is node west-node1 of site dallas, made by another stack, and stays as it is; "
    )
    assert said.endswith(
        f"if nobody needs it: virsh destroy dallas-west-node1; virsh undefine dallas-west-node1; rm -rf {folder}"
    )
    said = refused(kvm, "remove", **another)
    assert said.endswith("if this stack's own is gone, type: pulumi state delete URN (pulumi stack --show-urns)")
    assert kvm.defined() == {"dallas-west-node1": "running"}
    assert kvm.console.exists()
    # It is as it was.
    kvm.calls()
    assert done(kvm, "change", **OURS) == [uuid, made]
    assert {"define", "shutdown"}.isdisjoint(kvm.calls())
    done(kvm, "remove", **OURS)
    assert not list(kvm.storage.iterdir())


def test_another_site_changes_no_machine_of_this_one_either(kvm):
    done(kvm, "make", **OURS)
    assert "made by another stack" in refused(kvm, "change", **OF_ANOTHER_SITE)


@pytest.mark.parametrize("last", ["old", "new"])
def test_another_host_key_is_a_change_and_the_stack_may_remove_it_by_either(kvm, last):
    """An update that fails leaves the stack with the key of before."""
    uuid, made = done(kvm, "make", HOST_KEY_PUBLIC="ssh-ed25519 old")
    changed = done(kvm, "change", HOST_KEY_PUBLIC="ssh-ed25519 new", SEED="0 aG9zdCBrZXk=", SEED_SECTORS="1")
    assert changed[0] == uuid
    assert changed[1] != made
    assert "made by another stack" in refused(kvm, "make", HOST_KEY_PUBLIC="ssh-ed25519 theirs")
    done(kvm, "remove", HOST_KEY_PUBLIC=f"ssh-ed25519 {last}")
    assert kvm.defined() == {}


def test_a_killed_run_is_begun_anew_by_its_own_stack_alone(kvm):
    done(kvm, "make")
    # All that a run does not come to that is killed while the machine starts.
    (kvm.machine("dallas-node1") / "made").unlink()
    assert "made by another stack" in refused(kvm, "make", HOST_KEY_PUBLIC="ssh-ed25519 theirs")
    kvm.calls()
    done(kvm, "make")
    assert "undefine" in kvm.calls()
    assert kvm.defined() == {"dallas-node1": "running"}


def test_a_machine_that_nobody_made_so_is_left_alone(kvm):
    (kvm.folder / "dallas-node1.xml").write_text("<domain/>")
    (kvm.folder / "dallas-node1.state").write_text("running")
    for argument in ("make", "remove"):
        assert refused(kvm, argument).startswith("a machine dallas-node1 is there that is not of this site; ")
    assert kvm.defined() == {"dallas-node1": "running"}
    assert not list(kvm.storage.iterdir())


def test_a_machine_without_its_disk_is_not_made_anew_unasked(kvm):
    done(kvm, "make")
    (kvm.machine("dallas-node1") / "disk.qcow2").unlink()
    said = refused(kvm, "change", MEMORY="8192")
    assert said.endswith("To make the machine anew: pulumi up --replace '**dallas-node1-machine'")
    done(kvm, "remove")
    done(kvm, "make", MEMORY="8192")


ANY = "/sys/kernel/mm/hugepages/hugepages-1048576kB"
NODE_1 = "/sys/devices/system/node/node1/hugepages/hugepages-1048576kB"


@pytest.mark.parametrize(("pool", "numa", "where"), [(ANY, "", ""), (NODE_1, " 1", " on NUMA node 1")])
def test_pages_that_are_not_free_are_told_before_anything_is_made(kvm, pool, numa, where):
    kvm.free_pages(ANY, 3)
    kvm.free_pages(pool, 3)
    reserve = f"reserve more: echo COUNT >{pool}/nr_hugepages, or at its boot: hugepagesz=1048576K hugepages=COUNT"
    said = refused(kvm, "make", PAGES=f"1048576 4{numa}", IMAGE_SHA256="0" * 64)
    assert said == f"3 huge pages of 1048576 KiB are free{where} or its own, and it needs 4; {reserve}"
    assert not list(kvm.storage.iterdir())
    kvm.free_pages(pool, 4)
    done(kvm, "make", PAGES=f"1048576 4{numa}")


def test_pages_that_are_not_free_leave_the_machine_as_it_was(kvm):
    uuid, made = done(kvm, "make")
    kvm.free_pages(ANY, 3)
    kvm.calls()
    assert "3 huge pages" in refused(kvm, "change", MEMORY="8192", PAGES="1048576 8")
    assert done(kvm, "change") == [uuid, made]
    assert {"shutdown", "define", "start"}.isdisjoint(kvm.calls())
    assert kvm.defined() == {"dallas-node1": "running"}


@pytest.mark.parametrize(
    ("before", "after", "enough"),
    [
        ("1048576 4", "1048576 6", True),
        ("1048576 4", "1048576 7", False),
        ("1048576 4 1", "1048576 6 1", True),
        ("1048576 4 1", "1048576 6", True),
        ("1048576 4 0", "1048576 6 1", False),
        ("1048576 4", "1048576 6 1", False),
        ("2048 2048", "1048576 4", False),
        ("", "1048576 4", False),
    ],
)
def test_pages_that_it_holds_itself_are_free_to_it(kvm, before, after, enough):
    for pool in (ANY, NODE_1, NODE_1.replace("node1", "node0"), ANY.replace("1048576", "2048")):
        kvm.free_pages(pool, 4096)
    done(kvm, "make", PAGES=before)
    for pool in (ANY, NODE_1):
        kvm.free_pages(pool, 2)
    kvm.calls()
    # Here they do not come free when it has stopped, so that it is not started again either way.
    made = kvm.run("change", MEMORY="8192", PAGES=after)
    assert ("shutdown" in kvm.calls()) is enough
    assert f"needs {after.split()[1]};" in made.stderr


def test_a_change_that_failed_is_made_again_back_or_forth(kvm):
    uuid, made = done(kvm, "make")
    (kvm.folder / "unfit").touch()
    assert kvm.run("change", MEMORY="8192").returncode != 0
    assert kvm.defined() == {"dallas-node1": "shut off"}
    (kvm.folder / "unfit").unlink()
    assert done(kvm, "change") == [uuid, made]
    assert kvm.defined() == {"dallas-node1": "running"}
    assert "<memory>4096</memory>" in (kvm.folder / "dallas-node1.xml").read_text()
    # The disk was not made anew, nor would it be if Pulumi had not come to note that it was made.
    done(kvm, "make", MEMORY="8192")
    assert "undefine" not in kvm.calls()


STATES = ["running", "paused", "in shutdown", "crashed", "pmsuspended", "shut off"]


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("state", STATES)
def test_a_machine_is_changed_and_removed_whatever_it_does(kvm, state, full):
    done(kvm, "make")
    kvm.becomes(state)
    if full:
        (kvm.folder / "full").touch()
    done(kvm, "change", MEMORY="8192")
    assert kvm.defined() == {"dallas-node1": "running"}
    # What can still write is asked to end.
    asked = kvm.calls()
    assert ("shutdown" in asked) is (state == "running" or (state == "paused" and not full))
    assert ("destroy" in asked) is (state in {"crashed", "pmsuspended"} or (state == "paused" and full))
    kvm.becomes(state)
    done(kvm, "remove")
    assert kvm.defined() == {}


@pytest.mark.parametrize("state", STATES)
def test_a_machine_that_is_as_it_should_be_runs_afterwards(kvm, state):
    uuid, made = done(kvm, "make")
    kvm.becomes(state)
    kvm.calls()
    assert done(kvm, "change") == [uuid, made]
    assert kvm.defined() == {"dallas-node1": "running"}
    # One that is paused goes on where it was.
    assert ("start" in kvm.calls()) is (state not in {"running", "paused"})


def test_a_machine_that_stays_paused_is_told_with_what_to_look_at(kvm):
    done(kvm, "make")
    kvm.becomes("paused")
    (kvm.folder / "full").touch()
    assert refused(kvm, "change") == (
        "it is paused, and is again when it is resumed; QEMU pauses a machine whose disk cannot be written to: "
        f"virsh domblkerror dallas-node1 says which, df {kvm.storage} how much room there is; make some, and type: virsh resume dallas-node1"
    )
    assert kvm.defined() == {"dallas-node1": "paused"}
