"""multus_site/scripts/state.sh says what is there, as JSON, and changes nothing."""

import base64
import json
import os
import subprocess

import pytest

from multus_site.render.script import script


def state(plugins="", uplinks=""):
    text = script("state", {"PLUGINS": plugins, "UPLINKS": uplinks})
    done = subprocess.run(["sh", "-s"], input=text, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return json.loads(done.stdout)


def test_nics_have_their_state_mtu_and_mac():
    assert state(uplinks="lo none0")["nics"] == {"lo": {"up": True, "mtu": 65536, "mac": "00:00:00:00:00:00"}}


def test_what_is_not_there_is_left_out():
    seen = state(plugins="no-such-plugin another")
    assert seen["plugins"] == {}
    assert seen["kubespray"] is None or seen["kubespray"]["site"]


def test_the_machine_is_named():
    seen = state()
    assert len(seen["machineId"]) in {0, 32}
    assert seen["hostname"]


@pytest.mark.skipif(os.geteuid() != 0, reason="mount namespaces can be made by root only")
def test_plugins_and_the_configuration_of_the_clusters_network():
    """In a mount namespace with an /etc and an /opt of its own."""
    config = '{"name": "it\'s", "plugins": [{"type": "bridge"}]}'
    before = (
        "mount -t tmpfs none /etc && mount -t tmpfs none /opt && mkdir -p /etc/cni/net.d /opt/cni/bin && echo 1 >/etc/machine-id"
        " && cd /opt/cni/bin && touch bridge portmap 'a\"b' && chmod 755 bridge && chmod 600 portmap && mkdir folder"
        " && cat >/etc/cni/net.d/10-cluster.conflist && touch /etc/cni/net.d/00-multus.conf && cp /etc/cni/net.d/*.conflist /etc/cni/x"
    )
    text = script("state", {"PLUGINS": "", "UPLINKS": ""})
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", f"{before} && exec sh -c \"$SCRIPT\""],
        input=config, env={**os.environ, "SCRIPT": text}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    seen = json.loads(done.stdout)
    assert seen["present"] == {"bridge": "755", "portmap": "600"}
    assert [base64.b64decode(one).decode() for one in seen["cluster"]] == [config]
