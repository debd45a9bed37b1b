"""A shell for the nodes ends what its threads wait for."""

import threading
import time

import pytest

from multus_site.ssh.openssh import shell
from multus_site.ssh.ssh_route import Login, SshRoute

HOST = {"ansible_host": "127.0.0.5", "ansible_port": 22, "ansible_user": "root"}
SECONDS = 20
"""Far shorter than ssh sleeps."""


@pytest.mark.parametrize("first", [True, False], ids=["what runs", "what starts meanwhile"])
def test_it_is_killed_when_the_shell_ends(first, tmp_path, monkeypatch):
    ssh = tmp_path / "ssh"
    ssh.write_text(f"#!/bin/sh\n: >{tmp_path}/started\nexec sleep {3 * SECONDS}\n")
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with shell(SshRoute(Login("root", "")), "") as reached:
        thread = threading.Thread(target=reached.run, args=(HOST, "true"))
        if first:
            thread.start()
            while not (tmp_path / "started").exists() or not reached.running:
                time.sleep(0.01)
    if not first:
        thread.start()
    thread.join(SECONDS)
    assert not thread.is_alive()
