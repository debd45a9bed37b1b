"""Which hosts `--hosts` names."""

import pytest

from multus_site.cli.host_list import HostListError, Place, Target, at, targets


def asked(*given, user=None, port=None):
    return targets(list(given), user, port)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("10.1.1.5", Place("10.1.1.5")),
        ("10.1.1.5:2222", Place("10.1.1.5", port=2222)),
        ("ubuntu@10.1.1.5:22", Place("10.1.1.5", "ubuntu", 22)),
        ("fd00::5", Place("fd00::5")),
        ("ubuntu@[fd00::5]:2222", Place("fd00::5", "ubuntu", 2222)),
        ("jump.example.org", Place("jump.example.org")),
    ],
)
def test_a_place(text, place):
    assert at(text) == place


@pytest.mark.parametrize(
    "text", ["", "@10.1.1.5", "10.1.1.5:", "10.1.1.5:ssh", "10.1.1.5:0", "10.1.1.5:70000", "[fd00::5"]
)
def test_no_place(text):
    with pytest.raises(ValueError, match=r"not \[USER@\]HOST\[:PORT\]"):
        at(text)


def test_no_place_with_a_zone():
    with pytest.raises(ValueError, match="has a zone"):
        at("ops@[fd00::1%eth0]:22")


def test_a_name_of_an_address_that_counts_on_one_link(monkeypatch):
    answer = [(10, 1, 6, "", ("fe80::5%eth0", 0, 0, 2))]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: answer)
    with pytest.raises(HostListError, match=r"node1.local: 'fe80::5%eth0' is a link-local address"):
        asked("node1.local")


def test_addresses_ranges_names_and_files(tmp_path):
    (tmp_path / "racks.txt").write_text("# rack 1\n10.1.1.20   # the spare\n\nedge=[fd00::5]\n")
    found = asked("10.1.1.5-7, 10.1.1.9-10.1.1.10", f"cp=10.1.1.4,{tmp_path}/racks.txt", "localhost")
    assert [host.address for host in found.hosts[:-1]] == [
        *("10.1.1.5", "10.1.1.6", "10.1.1.7", "10.1.1.9", "10.1.1.10", "10.1.1.4", "10.1.1.20", "fd00::5")
    ]
    assert {host.address: host.name for host in found.hosts if host.name} == {"10.1.1.4": "cp", "fd00::5": "edge"}
    assert found.hosts[-1].called == "localhost"
    assert found.hosts[-1].address in {"127.0.0.1", "::1"}
    assert (found.user, found.port) == ("root", 22)


def test_white_space_separates_too(tmp_path):
    addresses = [f"10.1.1.{i}" for i in range(1, 41)]
    assert len(" ".join(addresses)) > 255
    assert [host.address for host in asked(" ".join(addresses)).hosts] == addresses
    (tmp_path / "rack 1.txt").write_text("10.1.1.1 10.1.1.2\t10.1.1.3, 10.1.1.4\n")
    assert [host.address for host in asked(f"{tmp_path}/rack 1.txt,10.1.1.5\n10.1.1.6").hosts] == addresses[:6]


def test_an_entry_that_is_too_long_for_a_file():
    with pytest.raises(HostListError, match="neither a file nor a name"):
        asked("a" * 300)


def test_one_user_and_one_port():
    found = asked("ubuntu@10.1.1.5:2222", "10.1.1.6")
    assert (found.user, found.port) == ("ubuntu", 2222)
    assert asked("10.1.1.5", user="ops", port=2200) == asked("ops@10.1.1.5:2200")
    assert asked("10.1.1.5").hosts == (Target("10.1.1.5", "10.1.1.5"),)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["ubuntu@10.1.1.5", "root@10.1.1.6"], "one user for all hosts, but the entries have root, ubuntu"),
        (["10.1.1.5:22", "10.1.1.6:23"], "one SSH port for all hosts, but the entries have 22, 23"),
        (["10.1.1.5-7", "10.1.1.6"], "10.1.1.6: 10.1.1.6 is given twice"),
        (["a=10.1.1.5,a=10.1.1.6"], "a: two hosts have this name"),
        (["a=10.1.1.5-6"], "a=10.1.1.5-6: a range cannot have a name; name each host: a=10.1.1.5"),
        (["A_b=10.1.1.5"], "'A_b' is not a DNS label"),
        (["10.1.1.9-7"], "ends before it begins"),
        (["10.1.1.5-10.9.9.9"], "more than 1024 hosts"),
        (["no-such-host.invalid"], "neither a file nor a name that resolves"),
        (["10.1.1.5:99999"], "not [USER@]HOST[:PORT]"),
        (
            ["fd00::1%eth0"],
            "fd00::1%eth0: 'fd00::1%eth0' has a zone (%eth0), and each machine has others; write it without",
        ),
        (["edge=[fd00::1%eth0]:22"], "'fd00::1%eth0' has a zone"),
        (["fe80::1%eth0"], "'fe80::1%eth0' is a link-local address, which is valid on one link only; write the one"),
        (["fe80::1%eth0-fe80::5%eth0"], "has a zone"),
        (
            ["fe80::1"],
            "'fe80::1' is a link-local address, which is valid on one link only; write the one that the machine is reached at",
        ),
        (["224.0.0.1-5"], "is a multicast address"),
        (["10.1"], "10.1: neither an address nor a name; an IPv4 address has four numbers, such as 10.1.1.5"),
        (["1"], "1: neither an address nor a name"),
        (["0x7f000001"], "neither an address nor a name"),
        (["10.1.1.010"], "neither an address nor a name"),
        ([","], "--hosts names no host"),
    ],
)
def test_mistakes(given, words):
    with pytest.raises(HostListError) as caught:
        asked(*given)
    assert words in str(caught.value)


@pytest.mark.parametrize("user", ["", "-ops", "a b"])
def test_no_user(user):
    with pytest.raises(HostListError, match=f"--user: '{user}' is not the name of a user; write one such as ubuntu"):
        asked("10.1.1.5", user=user)
    if user:
        with pytest.raises(HostListError, match="is not the name of a user"):
            asked(f"{user}@10.1.1.5".replace(" ", "/"))
    assert asked("10.1.1.5", user="ops@example.org").user == "ops@example.org"


def test_all_mistakes_at_once():
    with pytest.raises(HostListError) as caught:
        asked("10.1.1.5:0", "10.1.1.9-7", "a@10.1.1.1", "b@10.1.1.2")
    assert len(str(caught.value).splitlines()) == 3
