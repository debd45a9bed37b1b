"""Records of a thousand nodes fit the environment variable in which a program gets back what it printed last."""

import base64
import json
import lzma
import os
import secrets
import subprocess
import sys

import pytest

from multus_site.kubespray.record import Applied
from multus_site.kubespray.record import Record as Cluster
from multus_site.nodes.delivery.document import Record as Plugins
from multus_site.nodes.preflight.document import KEPT, KEPT_OF_NIC
from multus_site.nodes.preflight.document import Record as Preflight
from multus_site.render.state_record import CLEAR, RecordError, packed, unpacked

VARIABLE = 32 * 4096
"""Bytes of one environment variable, its name and the final zero included (Linux: MAX_ARG_STRLEN)."""


def public_key():
    """What cannot be compressed."""
    return base64.b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0 " + secrets.token_bytes(32)).decode()


def mac():
    return ":".join(f"{byte:02x}" for byte in secrets.token_bytes(6))


def hosts(nodes):
    return {f"dallas-worker{i}": f"10.20.{i // 250}.{i % 250}" for i in range(nodes)}


def cluster(nodes):
    there = hosts(nodes)
    applied = Applied(
        version="v2.31.0",
        groups={"kube_node": tuple(there)},
        hosts={host: {"ansible_host": ip, "ip": ip, "access_ip": ip} for host, ip in there.items()},
        identities={host: secrets.token_hex(16) for host in there},
        variables={f"variable{i}": secrets.token_hex(32) for i in range(20)},
        known_hosts="\n".join(f"{ip} ssh-ed25519 {public_key()}" for ip in there.values()),
    )
    return Cluster("dallas", 3, applied).printed()


def plugins(nodes):
    digest = secrets.token_hex(8)
    each = {
        host: {"address": ip, "hostKey": f"ssh-ed25519 {public_key()}", "done": digest, "result": digest}
        for host, ip in hosts(nodes).items()
    }
    return Plugins(each, {digest: {"macvlan": {"sha256": secrets.token_hex(32)}}}).json()


def access(nodes):
    return packed({h: {"address": ip, "hostKey": f"ssh-ed25519 {public_key()}"} for h, ip in hosts(nodes).items()})


def preflight(nodes):
    nic = {**dict.fromkeys(KEPT_OF_NIC, "virtio_net"), "mtu": 1500}
    each = {
        host: {
            "asked": secrets.token_hex(8),
            "reasons": ["1"],
            "prepared": True,
            "facts": {
                **dict.fromkeys(KEPT, 4096),
                "machineId": secrets.token_hex(16),
                "nics": {name: {**nic, "mac": mac()} for name in ("ens5", "ens6", "ens7")},
            },
        }
        for host in hosts(nodes)
    }
    return Preflight(each, ()).json()


@pytest.mark.parametrize("record", [cluster, plugins, access, preflight])
def test_a_thousand_nodes_fit(record):
    line = record(1000)
    assert len(json.dumps(unpacked(line))) > VARIABLE, "it would fit as it is"
    env = {**os.environ, "PULUMI_COMMAND_STDOUT": line + "\n"}
    program = "from multus_site.render.state_record import *; print(len(repr(unpacked(last_printed()))))"
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True)
    assert int(done.stdout) == len(repr(unpacked(line)))


@pytest.mark.parametrize("record", [cluster, plugins, access, preflight])
def test_a_small_record_stays_readable(record):
    line = record(3)
    assert len(line) < CLEAR
    assert "dallas-worker2" in line
    assert unpacked("a line of a warning\n" + line + "\n") == json.loads(line)


def test_members_stay_in_clear_text():
    line = packed({"nodes": ["node"] * CLEAR}, site="dallas", runs=3)
    assert json.loads(line).items() >= {"site": "dallas", "runs": 3}.items()
    assert unpacked(line) == {"nodes": ["node"] * CLEAR}


def encoded(text):
    return base64.b64encode(lzma.compress(text)).decode()


@pytest.mark.parametrize(
    "text",
    [
        *("", "\n", "{", "[]", "null", "3", '"text"', '{"packed": 1}', '{"packed": null}', '{"packed": "ä"}'),
        *(f'{{"packed": "{data}"}}' for data in ("", "bm9uZQ==", "/Td6WFo=", encoded(b"{"), encoded(b"[]"))),
        f'{{"packed": "{encoded(b"{}")[:-12]}"}}',
        f'{{"packed": "{encoded(bytes(range(256)))}"}}',
    ],
)
def test_what_is_no_record_is_refused(text):
    with pytest.raises(RecordError):
        unpacked(text)
