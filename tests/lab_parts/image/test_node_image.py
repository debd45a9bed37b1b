"""The node image: what is told to mmdebstrap, and what must not be in the image."""

import subprocess

import pytest

from lab import image
from lab.cache import LabError
from lab.image import debian


@pytest.fixture
def root(tmp_path):
    """A root folder with what Debian's packages put where the hooks look; chroot only notes its calls."""
    folder = tmp_path / "root"
    for name in ("etc/ssh/sshd_config.d", "etc/systemd/system", "root", "var/lib/dbus"):
        (folder / name).mkdir(parents=True)
    for key in ("rsa", "ecdsa", "ed25519"):
        (folder / f"etc/ssh/ssh_host_{key}_key").write_text("secret")
    (folder / "etc/machine-id").write_text("0123")
    (folder / "var/lib/dbus/machine-id").write_text("0123")
    (folder / "etc/resolv.conf").write_text("nameserver 192.0.2.1")
    return folder


@pytest.fixture
def hooked(root, tmp_path, monkeypatch):
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "chroot").write_text(f'#!/bin/sh\nshift\necho "$@" >> {tmp_path}/chroot.log\n')
    (tools / "chroot").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    for hook in image.hooks("6.1.0-test"):
        subprocess.run(["sh", "-euc", hook, "hook", root], check=True)
    return root


def test_no_host_key_is_in_the_image(hooked):
    assert not list((hooked / "etc/ssh").glob("ssh_host_*"))
    assert "HostKey /etc/ssh/ssh_host_ed25519_key\n" in (hooked / "etc/ssh/sshd_config.d/10-node.conf").read_text()


def test_nobody_logs_in_with_a_password(hooked, tmp_path):
    settings = (hooked / "etc/ssh/sshd_config.d/10-node.conf").read_text().splitlines()
    assert "PasswordAuthentication no" in settings
    assert "KbdInteractiveAuthentication no" in settings
    assert "passwd --quiet --lock root" in (tmp_path / "chroot.log").read_text()


def test_every_node_gets_a_machine_id_of_its_own(hooked):
    assert (hooked / "etc/machine-id").read_text() == ""
    assert not (hooked / "var/lib/dbus/machine-id").exists()


def test_nothing_of_this_machine_stays(hooked):
    assert (hooked / "etc/resolv.conf").read_text() == ""


def test_modprobe_believes_what_the_shared_kernel_has(hooked, tmp_path):
    builtin = (hooked / "lib/modules/6.1.0-test/modules.builtin").read_text().splitlines()
    assert {"kernel/overlay.ko", "kernel/macvlan.ko"} <= set(builtin)
    # Kubespray would have Ansible look into /proc/modules for it, which such a kernel does not have.
    assert "kernel/br_netfilter.ko" not in builtin
    assert "depmod -a 6.1.0-test" in (tmp_path / "chroot.log").read_text()


@pytest.mark.usefixtures("hooked")
def test_units_that_reach_the_shared_kernel_are_masked(tmp_path):
    [masked] = [line for line in (tmp_path / "chroot.log").read_text().splitlines() if " mask " in line]
    assert {"systemd-udevd.service", "systemd-sysctl.service"} <= set(masked.split())


def test_it_is_made_once(cache, said, monkeypatch):
    calls = []

    def make(_, __, target, *___):
        calls.append(target)
        target.write_bytes(b"tar")

    monkeypatch.setattr(debian, "make", make)
    first = image.build(cache, said)
    assert image.build(cache, said) == first
    assert len(calls) == 1
    assert first.path.read_bytes() == b"tar"
    assert first.changes[0] == 'CMD ["/sbin/init"]'


def test_an_older_one_goes(cache, said, monkeypatch):
    monkeypatch.setattr(debian, "make", lambda _, __, target, *___: target.write_bytes(b"tar"))
    old = image.build(cache, said).path
    monkeypatch.setattr(image, "PACKAGES", (*image.PACKAGES, "vim"))
    new = image.build(cache, said).path
    assert new.exists()
    assert not old.exists()


def test_a_failure_is_one_line_and_leaves_nothing(cache, said, tmp_path, monkeypatch):
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "mmdebstrap").write_text("#!/bin/sh\necho 'E: Temporary failure resolving the mirror' >&2; exit 100\n")
    (tools / "mmdebstrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    with pytest.raises(LabError, match="node-image failed: E: Temporary failure resolving the mirror"):
        image.build(cache, said)
    assert not list(cache.image.iterdir())
