"""The package sources and the way to them come from this machine's own APT settings."""

from lab.image import debian

TARGETS = """\
http://mirror.example/debian/ bookworm main
http://mirror.example/debian/ bookworm main
http://mirror.example/debian/ bookworm-updates main
http://mirror.example/debian/ bookworm contrib
http://mirror.example/security/ bookworm-security main
https://packages.example/node nodistro main
http://mirror.example/ubuntu/ noble main
flat
"""


def test_the_suite_with_its_updates_once_each():
    signed = f"deb [signed-by={debian.KEYRING}]"
    assert debian.sources(TARGETS) == [
        f"{signed} http://mirror.example/debian/ bookworm main",
        f"{signed} http://mirror.example/debian/ bookworm-updates main",
        f"{signed} http://mirror.example/security/ bookworm-security main",
    ]


def test_a_machine_of_another_distribution_has_none():
    assert debian.sources("http://mirror.example/ubuntu/ noble main\n") == []
    assert debian.sources("http://mirror.example/debian/ bookworm-security main\n") == []
    assert debian.sources("") == []


def test_only_what_says_how_to_reach_the_sources_is_taken_over():
    dump = """\
Acquire::http::Proxy "http://proxy.example:3128";
Acquire::https "";
Acquire::https::Proxy "";
Acquire::Check-Date "false";
APT::Sandbox::User "root";
"""
    assert debian.reaching(dump) == [
        'Acquire::http::Proxy "http://proxy.example:3128";',
        'Acquire::Check-Date "false";',
    ]
