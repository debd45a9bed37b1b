"""Host keys derived from a seed: the same each time, another for each node, and what OpenSSH itself takes."""

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multus_site.render.host_keys import derive_host_key, public_key_of

SEED = "0123456789abcdef0123456789abcdef"


def test_the_same_seed_gives_the_same_key_to_the_letter():
    assert derive_host_key(SEED, "lab", "node1") == derive_host_key(SEED + "\n", "lab", "node1")


def test_each_node_and_each_site_has_a_key_of_its_own():
    keys = {derive_host_key(SEED, site, node).public for site in ("lab", "dallas") for node in ("node1", "node2")}
    assert len(keys) == 4


def test_site_and_node_names_do_not_run_together():
    assert derive_host_key(SEED, "a", "b-c") != derive_host_key(SEED, "a-b", "c")


@given(st.text(alphabet="0123456789abcdef", min_size=16, max_size=80), st.sampled_from(["node1", "n", "a" * 63]))
def test_private_and_public_half_belong_together(seed, node):
    pair = derive_host_key(seed, "lab", node)
    assert public_key_of(pair.private) == pair.public


def test_openssh_reads_the_private_key(tmp_path):
    pair = derive_host_key(SEED, "lab", "node1")
    file = tmp_path / "key"
    file.write_text(pair.private)
    file.chmod(0o600)
    shown = subprocess.run(["ssh-keygen", "-y", "-f", str(file)], capture_output=True, text=True, check=True).stdout
    assert shown.split()[:2] == pair.public.split()


def test_a_short_seed_is_refused_with_the_command_that_makes_one():
    with pytest.raises(ValueError, match="openssl rand -hex 32"):
        derive_host_key("short", "lab", "node1")
