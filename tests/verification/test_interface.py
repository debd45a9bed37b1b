"""What `ip` prints, from both kinds of `ip` that pods have."""

from verification.interface import Interface, parse_interface

BUSYBOX = """3: net1@if12: <BROADCAST,MULTICAST,UP,LOWER_UP,M-DOWN> mtu 1500 qdisc noqueue 
    link/ether 7a:0b:3c:11:22:33 brd ff:ff:ff:ff:ff:ff
    inet 10.1.10.200/24 brd 10.1.10.255 scope global net1
       valid_lft forever preferred_lft forever
    inet6 fe80::780b:3cff:fe11:2233/64 scope link 
       valid_lft forever preferred_lft forever
"""
IPROUTE2 = """[{"ifindex":3,"link_index":12,"ifname":"net1","flags":["BROADCAST","MULTICAST","UP","LOWER_UP"],"mtu":1500,
"operstate":"UP","link_type":"ether","address":"7a:0b:3c:11:22:33","addr_info":[
{"family":"inet","local":"10.1.10.200","prefixlen":24,"scope":"global","label":"net1"},
{"family":"inet6","local":"fe80::780b:3cff:fe11:2233","prefixlen":64,"scope":"link"}]}]"""

EXPECTED = Interface("net1", up=True, mtu=1500, mac="7a:0b:3c:11:22:33", addresses=(("10.1.10.200", 24),))


def test_busybox_text_and_iproute2_json_say_the_same():
    assert parse_interface(BUSYBOX) == EXPECTED
    assert parse_interface(IPROUTE2) == EXPECTED


def test_down_interface_is_down_and_keeps_its_address():
    text = BUSYBOX.replace("MULTICAST,UP,LOWER_UP", "MULTICAST")
    seen = parse_interface(text)
    assert seen is not None
    assert not seen.up
    assert seen.addresses == (("10.1.10.200", 24),)


def test_global_ipv6_address_counts():
    text = BUSYBOX + "    inet6 fd00:10::5/64 scope global \n"
    seen = parse_interface(text)
    assert seen is not None
    assert ("fd00:10::5", 64) in seen.addresses


def test_jumbo_mtu_is_read():
    seen = parse_interface(BUSYBOX.replace("mtu 1500", "mtu 9000"))
    assert seen is not None
    assert seen.mtu == 9000


def test_no_interface_is_none():
    assert parse_interface("ip: can't find device 'net1'\n") is None
    assert parse_interface("[]") is None
    assert parse_interface("[{}]") is None
    assert parse_interface("") is None
