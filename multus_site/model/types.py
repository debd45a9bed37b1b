"""The domain's own value types: one validator each, used everywhere.

After validation each is a plain `str` or `int` in canonical form. A validator raises ValueError with what was found and what would be right;
pydantic adds the place.
"""

import base64
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from multus_site.model.addresses import DNS_NAME
from multus_site.model.shapes import Matching, Shape

IFNAMSIZ = 15
"""Longest interface name in bytes: the kernel's IFNAMSIZ (16) less the closing zero."""

_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_LABEL_NAME = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}"
_REPOSITORY = r"[a-z0-9]+([._-]+[a-z0-9]+)*(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*"
_DIGEST = r"sha256:[0-9a-f]{64}"

BARE_VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+")
"""A version in three numbers, as a whole."""

CNI_VERSIONS = ("0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0")
"""Every version of the CNI specification."""

HOST_KEY_TYPES = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521")
"""Host key types that can be pinned. Not ssh-rsa: the Go SSH client would then ask for SHA-1 signatures, which sshd refuses."""


def label(value: str) -> str:
    """A DNS-1123 label: node, network and workload names (RFC 1123; Multus' annotation parser allows no dots either)."""
    if not re.fullmatch(_LABEL, value):
        msg = f"{value!r} is not a DNS label; use at most 63 of a-z, 0-9 and '-', beginning and ending with a letter or digit"
        raise ValueError(msg)
    return value


def interface_name(value: str) -> str:
    """The name of a network interface, as the kernel and libcni accept it (cni pkg/utils.ValidateInterfaceName)."""
    if not value or len(value.encode()) > IFNAMSIZ:
        msg = f"{value!r} is {len(value.encode())} bytes long; give a name of 1 to {IFNAMSIZ}, as printed by: ip link"
        raise ValueError(msg)
    if value in {".", ".."} or any(c in "/:" or c.isspace() for c in value):
        msg = f"{value!r} is not an interface name; it must not be '.' or '..', or contain '/', ':' or white space"
        raise ValueError(msg)
    return value


def pod_interface_name(value: str) -> str:
    """The interface of an attachment in the pod: not the pod's own eth0 or lo."""
    if interface_name(value) in {"eth0", "lo"}:
        msg = f"{value!r} is the pod's own; name an attachment's interface net1, net2, … or anything else"
        raise ValueError(msg)
    return value


def label_key(value: str) -> str:
    """The key of a Kubernetes label or taint: a name, optionally with a DNS name and a slash before it."""
    prefix, slash, name = value.rpartition("/")
    if not re.fullmatch(_LABEL_NAME, name) or (slash and (len(prefix) > 253 or not DNS_NAME.fullmatch(prefix))):
        msg = f"{value!r} is not the key of a label or taint; write a name of at most 63 characters, best with your domain before it, such as example.com/power"
        raise ValueError(msg)
    return value


def host_key(value: str) -> str:
    """A public SSH host key as in authorized_keys: type and base64, without a host name before or a comment after them."""
    words = value.split()
    if len(words) < 2 or words[0] not in HOST_KEY_TYPES:
        found = f"{value[:40]!r}"
        if len(words) >= 2 and words[0] == "ssh-rsa":
            found = "an ssh-rsa key"
        elif len(words) >= 3 and words[1] in HOST_KEY_TYPES:
            found = "a known_hosts line, with the host name before the key,"
        msg = f"{found} is not a host key; write one of {', '.join(HOST_KEY_TYPES)} and its base64, such as 'ssh-ed25519 AAAA…'"
        raise ValueError(msg)
    try:
        blob = base64.b64decode(words[1], validate=True)
    except ValueError:  # not base64, or not ASCII
        blob = b""
    size = int.from_bytes(blob[:4], "big")
    if blob[4 : 4 + size].decode("ascii", "replace") != words[0]:
        msg = f"the base64 of this {words[0]} host key is damaged; print it again with: ssh-keyscan -t ed25519 HOST"
        raise ValueError(msg)
    return f"{words[0]} {words[1]}"


def pinned_image(value: str) -> str:
    """An image reference with its registry and a tag or digest that does not move (never `latest`)."""
    name, at, pin = value.partition("@")
    repository, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        repository, tag = name, ""
    registry = repository.partition("/")[0]
    if "/" not in repository or not (("." in registry) or (":" in registry) or registry == "localhost"):
        msg = f"{value!r} names no registry; write it in full, such as docker.io/library/busybox:1.36"
        raise ValueError(msg)
    if (
        not re.fullmatch(_REPOSITORY, repository)
        or (tag and not re.fullmatch(_TAG, tag))
        or (at and not re.fullmatch(_DIGEST, pin))
    ):
        msg = f"{value!r} is not an image reference; write one such as docker.io/library/busybox:1.36"
        raise ValueError(msg)
    if not at and tag in {"", "latest"}:
        msg = f"{value!r} may be another image tomorrow; give a version tag or a digest (@sha256:…)"
        raise ValueError(msg)
    return value


def user_name(value: str) -> str:
    """A user that logs in by SSH: of Linux, or of a directory such as DOMAIN\\user or user@domain."""
    if not value or value.startswith("-") or any(c in "/:" or c.isspace() or not c.isprintable() for c in value):
        msg = f"{value!r} is not the name of a user; write one such as ubuntu, without white space, '/' and ':', and no '-' first"
        raise ValueError(msg)
    return value


def bare_version(value: str) -> str:
    """A version in three numbers, without a leading v."""
    if not BARE_VERSION.fullmatch(value):
        bare = value.removeprefix("v")
        msg = f"{value!r} is not a version; write three numbers such as {bare if BARE_VERSION.fullmatch(bare) else '1.9.1'}"
        raise ValueError(msg)
    return value


Role = Literal["control-plane", "etcd", "worker"]
Architecture = Literal["amd64", "arm64"]
_Label = Annotated[str, AfterValidator(label), Shape(_LABEL)]
_Interface = Annotated[str, AfterValidator(interface_name), Shape(r"[^/:\s]+")]
NodeName = Annotated[_Label, Field(examples=["node1"])]
NetworkName = Annotated[_Label, Field(examples=["macvlan-internal"])]
WorkloadName = Annotated[_Label, Field(examples=["samplepod"])]
SegmentName = Annotated[_Label, Field(examples=["core"])]
RackName = Annotated[_Label, Field(examples=["r1"])]
GroupName = Annotated[_Label, Field(examples=["compute"])]
HypervisorName = Annotated[_Label, Field(examples=["kvm1"])]
PoolName = Annotated[_Label, Field(examples=["fast"])]
Namespace = Annotated[_Label, Field(examples=["telecom"])]
ObjectName = Annotated[_Label, Field(examples=["router"])]
InterfaceName = Annotated[_Interface, Field(max_length=IFNAMSIZ, examples=["ens6"])]
LinkName = Annotated[_Interface, Field(max_length=IFNAMSIZ, examples=["bond0"])]
PodInterfaceName = Annotated[
    str,
    AfterValidator(pod_interface_name),
    Shape(r"(?!(eth0|lo)$)[^/:\s]+"),
    Field(max_length=IFNAMSIZ, examples=["net1"]),
]
# libpod/define: NameRegex. The name is part of podman's command line.
_PODMAN_NAME = Matching(
    r"[A-Za-z0-9][A-Za-z0-9_.-]*",
    "is not a name for podman; use letters, digits, '_', '.' and '-', beginning with a letter or digit",
)
PodmanName = Annotated[str, _PODMAN_NAME, Field(examples=["internal"])]
PodmanInterfaceName = Annotated[InterfaceName, _PODMAN_NAME]
PciAddress = Annotated[
    str,
    AfterValidator(str.lower),
    Matching(
        r"[0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]",
        "is not a PCI address; write domain, bus, device and function such as 0000:3b:00.0 (lspci -D)",
    ),
    Field(examples=["0000:3b:00.0"]),
]
ResourceName = Annotated[
    str,
    Matching(
        r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?",
        "is not the name of a resource; write its prefix too, such as intel.com/sriov_netdevice",
    ),
    Field(examples=["intel.com/sriov_netdevice"]),
]
LabelKey = Annotated[str, AfterValidator(label_key), Field(examples=["example.com/power"])]
LabelValue = Annotated[
    str,
    Matching(
        rf"({_LABEL_NAME})?",
        "is not the value of a label or taint; use at most 63 of letters, digits, '-', '_' and '.', beginning and ending with a letter or digit",
    ),
    Field(examples=["feed-b"]),
]
HostKey = Annotated[
    str,
    AfterValidator(host_key),
    Shape(rf"\s*({'|'.join(HOST_KEY_TYPES)})\s+[A-Za-z0-9+/]+=*(\s.*)?"),
    Field(examples=["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDB13Y+d0prRGnZiPoXC28r9Z4aIihbb+Nh8TwivlhkQ"]),
]
Sha256 = Annotated[
    str,
    Matching("[0-9a-f]{64}", "is not a SHA-256 sum; write the 64 digits (0-9, a-f) that sha256sum FILE prints"),
    Field(examples=["b98f74a0f8522f0a83867178729c1aa70f2158f90c45a2ca8fa791db1c76b303"]),
]
# golang.org/x/mod/sumdb/dirhash: h1:<base64 of a SHA-256>
ModuleSum = Annotated[
    str,
    Matching(
        "h1:[A-Za-z0-9+/]{43}=",
        "is not the hash of a Go module; write h1: and 44 characters, as in go.sum and in the output of `go mod download -json`",
    ),
    Field(examples=["h1:8oU6WsIsU3bpnNZuvHp74a6cE1MJwbj2P7s4/yTUNlA="]),
]
PluginName = Annotated[
    str,
    Matching(
        "[A-Za-z0-9][A-Za-z0-9._-]*",
        "is not a plugin's name; write the name of a file, of letters, digits, '.', '_' and '-', such as macvlan",
    ),
    Field(examples=["macvlan"]),
]
Digest = Annotated[
    str,
    Matching(_DIGEST, "is not a digest; write sha256: and 64 digits (0-9, a-f)"),
    Field(examples=["sha256:b98f74a0f8522f0a83867178729c1aa70f2158f90c45a2ca8fa791db1c76b303"]),
]
PinnedImage = Annotated[
    str,
    AfterValidator(pinned_image),
    Shape(rf"(?!.*:latest$)[^/\s]+/[^@\s]+(:{_TAG}(@{_DIGEST})?|@{_DIGEST})"),
    Field(examples=["docker.io/library/busybox:1.36"]),
]
KubesprayVersion = Annotated[
    str,
    Matching(r"v[0-9]+\.[0-9]+\.[0-9]+", "is not a release tag of Kubespray; write one such as v2.31.0"),
    Field(examples=["v2.31.0"]),
]
Commit = Annotated[
    str,
    Matching("[0-9a-f]{40}", "is not a commit; write its 40 digits (0-9, a-f), as git rev-parse prints them"),
    Field(examples=["1c9add48975060f45396b34d8e022c30d7f80dab"]),
]
UserName = Annotated[str, AfterValidator(user_name), Shape(r"[^-/:\s][^/:\s]*"), Field(examples=["ubuntu"])]
BareVersion = Annotated[str, AfterValidator(bare_version), Shape(BARE_VERSION.pattern), Field(examples=["1.9.1"])]
CniVersion = Annotated[
    str,
    Matching(
        "|".join(map(re.escape, CNI_VERSIONS)),
        f"is not a version of the CNI specification; write one of {', '.join(CNI_VERSIONS)}",
    ),
    Field(examples=["1.0.0"]),
]
VlanId = Annotated[int, Field(ge=1, le=4094, examples=[110])]
Mtu = Annotated[int, Field(ge=576, le=65535, examples=[1500])]
Port = Annotated[int, Field(ge=1, le=65535)]
