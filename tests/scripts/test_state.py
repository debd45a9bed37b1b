"""multus_site/scripts/state.sh says what is there, as JSON, and changes nothing."""

import json
import subprocess

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
