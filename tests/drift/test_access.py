"""How nodes are reached: pinned keys only, and nothing of the key stays behind."""

import stat

from drift.access import known_hosts, shell
from model.site import Site
from tests.render.diagram.sites import KEY, hosts


def nodes(**ssh):
    return Site.model_validate(
        {"name": "s", "nodes": {"backend": "existing", "ssh": ssh, "hosts": hosts(1, racks=0)}}
    ).nodes


def test_known_hosts_have_every_node_and_the_bastion():
    bastion = {"host": "203.0.113.9", "port": 2222, "hostKey": KEY}
    assert known_hosts(nodes(bastion=bastion), {"node01": KEY}) == f"10.1.0.5 {KEY}\n[203.0.113.9]:2222 {KEY}\n"
    assert known_hosts(nodes(port=2022), {"node01": KEY}) == f"[10.1.0.5]:2022 {KEY}\n"


def test_the_key_is_its_owner_s_alone_and_goes():
    with shell(nodes(), "PRIVATE", "known") as reached:
        assert reached.key.read_text() == "PRIVATE\n"
        assert stat.S_IMODE(reached.key.stat().st_mode) == 0o600
        assert reached.known_hosts.read_text() == "known"
    assert not reached.key.exists()
