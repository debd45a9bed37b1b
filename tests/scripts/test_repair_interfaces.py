"""multus_site/scripts/repair-interfaces.sh, with a kubectl that answers what the real one's templates would give."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent.parent / "multus_site" / "scripts" / "repair-interfaces.sh"
ETH0 = '{"name":"cbr0","interface":"eth0","ips":["10.233.65.5"],"default":true}'
NET1 = '{"name":"default/a","interface":"net1","ips":["10.1.10.5"]}'
NET2 = '{"name":"default/b","interface":"net2"}'
WITH_NET1, WITHOUT, WITH_BOTH = f"[{ETH0},{NET1}]", f"[{ETH0}]", f"[{ETH0},{NET1},{NET2}]"

KUBECTL = """#!/bin/sh
case "$*" in
    *name=multus*) printf 'node1\\nnode3\\n' ;;
    *get*pods*) cat "$PODS" ;;
    *delete*) echo "$@" >>"$DELETED" ;;
esac
"""


def quoted(text):
    """A text as Go's %q writes it."""
    return '"' + text.replace("\n", "\\n").replace("\t", "\\t").replace('"', '\\"') + '"' if text else ""


@pytest.fixture
def mend(tmp_path):
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(KUBECTL)
    kubectl.chmod(0o755)

    def run(networks, status, node="node1", address="10.233.65.5", owner="ReplicaSet"):
        (tmp_path / "pods").write_text(f"default|web-1|{node}|{address}|{owner}|{quoted(networks)}|{quoted(status)}\n")
        deleted = tmp_path / "deleted"
        deleted.unlink(missing_ok=True)
        variables = {
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "PODS": str(tmp_path / "pods"),
            "DELETED": str(deleted),
        }
        done = subprocess.run(["sh", str(SCRIPT)], capture_output=True, text=True, env=variables, check=True)
        return done.stdout, deleted.exists()

    return run


@pytest.mark.parametrize(
    ("networks", "status"),
    [
        ("a", WITH_NET1),
        ("a,b@uplink0", WITH_BOTH),
        ("a, b", WITH_BOTH.replace(",", ",\n\t ")),
        ('[{"name": "a", "ips": ["10.1.10.5/24"]},\n {"name": "b"}]', WITH_BOTH),
    ],
)
def test_a_pod_that_is_right_stays(mend, networks, status):
    assert mend(networks, status) == ("", False)


@pytest.mark.parametrize(
    ("networks", "status", "address", "why"),
    [
        ("a", "", "10.233.65.5", "it has no network-status"),
        ("a", WITHOUT, "10.233.65.5", "it has 0 of 1 attachments"),
        ("a,b", WITH_NET1, "10.233.65.5", "it has 1 of 2 attachments"),
        ('[{"name": "a"}, {"name": "b"}]', WITH_NET1, "10.233.65.5", "it has 1 of 2 attachments"),
        ("a", WITH_NET1, "10.233.65.6", "its network-status is of an earlier sandbox, which did not have 10.233.65.6"),
    ],
)
def test_a_pod_without_its_interfaces_is_deleted(mend, networks, status, address, why):
    assert mend(networks, status, address=address) == (f"default/web-1 on node1: {why}\n", True)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"node": "node2"}, "waits for Multus on node2"),
        ({"owner": "none"}, "delete it yourself"),
        ({"owner": "Node"}, "delete it yourself"),
    ],
)
def test_a_pod_that_would_not_come_back_right_is_told_only(mend, more, words):
    said, deleted = mend("a", WITHOUT, **more)
    assert words in said
    assert not deleted


def test_a_pod_on_its_way_out_is_left_alone(mend):
    assert mend("a", WITHOUT, owner="going") == ("", False)
