"""Host keys as they are known and as people compare them."""

import subprocess

import pytest

from multus_site.cli.host_keys import HostKey, HostKeyError, KnownHosts
from tests.contract.ssh_server import key_pair

ECDSA = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEmKSENjQEezOmxkZMy7opKgwFB9nkt5YRrYMjNuG5N87uRgg6CLrbo5wAdT/y6v0mKV0U2w0WZ2YB/++Tpockg="
KEY, OTHER = key_pair()[1], key_pair()[1]


def known(tmp_path, text):
    (tmp_path / "known_hosts").write_text(text)
    return KnownHosts(tmp_path / "known_hosts")


def test_a_fingerprint_is_that_of_ssh_keygen(tmp_path):
    for text, file in ((KEY, "ssh_host_ed25519_key.pub"), (ECDSA, "ssh_host_ecdsa_key.pub")):
        (tmp_path / "key").write_text(text)
        said = subprocess.run(
            ["ssh-keygen", "-lf", tmp_path / "key"], capture_output=True, text=True, check=True
        ).stdout
        assert HostKey(text).fingerprint in said.split()
        assert f"({HostKey(text).type})" in said
        assert HostKey(text).file == f"/etc/ssh/{file}"


def test_known_hosts_as_openssh_writes_them(tmp_path):
    file = tmp_path / "known_hosts"
    file.write_text(
        f"node1,10.1.1.5 {ECDSA}\n10.1.1.5 {KEY}\n[10.1.1.6]:2222 {KEY}\n10.1.1.7 {ECDSA}\n@revoked * {OTHER}\n10.1.1.8 {OTHER}\n"
    )
    subprocess.run(["ssh-keygen", "-H", "-f", file], capture_output=True, check=True)
    assert "10.1.1.5" not in file.read_text()
    there = KnownHosts(file)
    assert there.key(["10.1.1.5"], 22) == HostKey(KEY, known=True)
    assert there.key(["node1"], 22) == HostKey(ECDSA, known=True)
    assert there.key(["elsewhere", "10.1.1.6"], 2222) == HostKey(KEY, known=True)
    assert there.key(["10.1.1.6"], 22) is None
    assert there.key(["10.1.1.7"], 22) == HostKey(ECDSA, known=True)
    assert there.key(["10.1.1.8"], 22) is None, "it is revoked"


def test_no_known_hosts(tmp_path):
    with pytest.raises(HostKeyError, match="cannot be read as known_hosts: No such file"):
        KnownHosts(tmp_path / "none")
