"""Value types: one form of each value, and what would be right where there is none."""

import re

import pytest
from pydantic import TypeAdapter, ValidationError

from multus_site.model.addresses import (
    AddressOrName,
    AddressPool,
    AddressRange,
    Cidr,
    HostAddress,
    InterfaceAddress,
    IpAddress,
    MacAddress,
)
from multus_site.model.networks import Raw
from multus_site.model.types import (
    BareVersion,
    Digest,
    KubesprayVersion,
    LabelKey,
    LabelValue,
    NodeName,
    PciAddress,
    PinnedImage,
    ResourceName,
    Sha256,
    UserName,
)


@pytest.mark.parametrize(
    ("kind", "given", "kept"),
    [
        (AddressRange, "10.1.10.200-10.1.10.250", "10.1.10.200-10.1.10.250"),
        (AddressRange, "10.1.10.7", "10.1.10.7"),
        (AddressRange, "10.1.10.7 - 10.1.10.7", "10.1.10.7"),
        (AddressRange, "FD00::0-fd00:0::ff", "fd00::-fd00::ff"),
        (HostAddress, "FD00:0::5", "fd00::5"),
        (HostAddress, "127.0.0.11", "127.0.0.11"),
        (AddressOrName, "127.0.0.1", "127.0.0.1"),
        (IpAddress, "fe80::1", "fe80::1"),
        *((UserName, name, name) for name in ("root", "_svc-1", "DOMAIN\\user", "user@example.org", "Jörg", "a.b")),
        (Digest, "sha256:" + "a" * 64, "sha256:" + "a" * 64),
        (Sha256, "0" * 64, "0" * 64),
        (MacAddress, "02-00-0A-01-0a-05", "02:00:0a:01:0a:05"),
    ],
)
def test_value_types_keep_one_form(kind, given, kept):
    assert TypeAdapter(kind).validate_python(given) == kept


@pytest.mark.parametrize(
    ("kind", "given", "words"),
    [
        (AddressRange, "10.1.10.250-10.1.10.200", "ends before it begins; write 10.1.10.200-10.1.10.250"),
        (AddressRange, "10.1.10.1-fd00::1", "is not a range of addresses"),
        (AddressRange, "10.1.10.0/24", "is not a range of addresses"),
        (AddressRange, "10.1.10.1-", "is not a range of addresses"),
        (AddressRange, "", "is not a range of addresses"),
        (HostAddress, "0.0.0.0", "is no machine's own address"),  # noqa: S104 # refused
        (
            HostAddress,
            "::",
            "is no machine's own address; write the one that the machine is reached at, such as 10.1.1.5",
        ),
        (HostAddress, "ff02::1", "is a multicast address"),
        (HostAddress, "255.255.255.255", "is the broadcast address"),
        (HostAddress, "fe80::5", "is a link-local address"),
        (AddressOrName, "fe80::5", "is a link-local address"),
        (
            AddressOrName,
            "fd00::5%2",
            "'fd00::5%2' has a zone (%2), and each machine has others; write it without, such as fd00::5",
        ),
        (AddressOrName, "0x7f.1", "is neither an address nor a DNS name"),
        (AddressOrName, "10.1", "is neither an address nor a DNS name"),
        (IpAddress, "fe80::1%eth0", "has a zone (%eth0)"),
        (Cidr, "fe80::%eth0/64", "has a zone"),
        (AddressRange, "fe80::1%1-fe80::5%1", "has a zone"),
        (InterfaceAddress, "fe80::1%eth0/64", "has a zone"),
        (AddressPool, "fe80::1%1-fe80::5%1/64", "has a zone"),
        *(
            (UserName, name, "is not the name of a user; write one such as ubuntu, without white space, '/' and ':'")
            for name in ("", " ", "a b", "a\nb", "root\n", "a\x00", "a\u200bb", "../x", "-oProxyCommand=x", "a:b")
        ),
        (MacAddress, "03:00:0a:01:0a:05", "is a multicast address"),
        (MacAddress, "02:00:0a:01:0a", "is not a MAC address"),
        (Digest, "a" * 64, "is not a digest; write sha256:"),
        (Digest, "sha256:" + "a" * 63, "is not a digest"),
        (Digest, "sha256:" + "A" * 64, "is not a digest"),
        (Sha256, "0" * 63, "is not a SHA-256 sum"),
        (Sha256, "0" * 64 + "\n", "is not a SHA-256 sum"),
    ],
)
def test_value_types_say_what_would_be_right(kind, given, words):
    with pytest.raises(ValidationError, match=re.escape(words)):
        TypeAdapter(kind).validate_python(given)


@pytest.mark.parametrize(
    ("kind", "good"),
    [
        (NodeName, "node1"),
        (MacAddress, "02:00:0a:01:0a:05"),
        (PciAddress, "0000:3b:00.0"),
        (ResourceName, "intel.com/sriov_netdevice"),
        (LabelKey, "example.com/power"),
        (LabelValue, "feed-b"),
        (PinnedImage, "docker.io/library/busybox:1.36"),
        (KubesprayVersion, "v2.31.0"),
        (BareVersion, "1.9.1"),
        (AddressOrName, "api.dallas.example"),
    ],
)
def test_a_line_break_behind_a_value_is_no_part_of_it(kind, good):
    assert TypeAdapter(kind).validate_python(good) == good
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(f"{good}\n")


def test_a_raw_configuration_cannot_contain_itself():
    config: dict[str, object] = {"type": "bridge"}
    config["args"] = [config]
    with pytest.raises(ValueError, match="args: the configuration is nested more than 50 levels deep"):
        Raw(type="raw", config=config)
