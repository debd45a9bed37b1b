"""The domain's own value types: one validator each, used everywhere.

Each is a plain `str` or `int` after validation, in canonical form, so that a site compares and prints as it was written.
A validator raises ValueError with what was found and what would be right; pydantic adds the place.
"""

import base64
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from multus_site.model.addresses import DNS_NAME

IFNAMSIZ = 15
"""Longest interface name in bytes: the kernel's IFNAMSIZ (16) less the closing zero."""

_LABEL = re.compile(r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\Z")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MODULE_SUM = re.compile(r"h1:[A-Za-z0-9+/]{43}=")
_PLUGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_PODMAN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_TAG = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}\Z")
_REPOSITORY = re.compile(r"^[a-z0-9]+([._-]+[a-z0-9]+)*(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*\Z")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_VERSION = re.compile(r"^v[0-9]+\.[0-9]+\.[0-9]+\Z")
_PCI = re.compile(r"^[0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]\Z")
_RESOURCE = re.compile(r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?\Z")
_LABEL_NAME = re.compile(r"^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?\Z")

BARE_VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+")
"""A version in three numbers, the whole of it."""

CNI_VERSIONS = ("0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0")
"""Every version of the CNI specification."""

HOST_KEY_TYPES = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
)
"""Host key types that can be pinned. Not ssh-rsa: the Go SSH client would then ask for SHA-1 signatures, which sshd refuses."""


def label(value: str) -> str:
    """A DNS-1123 label: node, network and workload names (RFC 1123; Multus' annotation parser allows no dots either)."""
    if not _LABEL.fullmatch(value):
        msg = f"{value!r} is not a DNS label; use at most 63 of a-z, 0-9 and '-', beginning and ending with a letter or digit"
        raise ValueError(msg)
    return value


def interface_name(value: str) -> str:
    """A network interface's name as the kernel and libcni take it (cni pkg/utils.ValidateInterfaceName)."""
    if not value or len(value.encode()) > IFNAMSIZ:
        msg = f"{value!r} is {len(value.encode())} bytes long; give a name of 1 to {IFNAMSIZ}, as printed by: ip link"
        raise ValueError(msg)
    if value in {".", ".."} or any(c in "/:" or c.isspace() for c in value):
        msg = f"{value!r} is not an interface name; it must not be '.' or '..' nor hold '/', ':' or white space"
        raise ValueError(msg)
    return value


def podman_name(value: str) -> str:
    """A name of podman's (libpod/define: NameRegex), which goes onto its command line."""
    if not _PODMAN_NAME.fullmatch(value):
        msg = f"{value!r} is not a name for podman; use letters, digits, '_', '.' and '-', beginning with a letter or digit"
        raise ValueError(msg)
    return value


def pod_interface_name(value: str) -> str:
    """An interface of a pod that an attachment may be given: not the pod's own eth0 or lo."""
    if interface_name(value) in {"eth0", "lo"}:
        msg = f"{value!r} is the pod's own; name an attachment's interface net1, net2, … or anything else"
        raise ValueError(msg)
    return value


def pci_address(value: str) -> str:
    """A PCI address with its domain, as lspci -D prints it."""
    address = value.lower()
    if not _PCI.fullmatch(address):
        msg = f"{value!r} is not a PCI address; write domain, bus, device and function such as 0000:3b:00.0 (lspci -D)"
        raise ValueError(msg)
    return address


def resource_name(value: str) -> str:
    """The name of an extended resource, with its prefix (Kubernetes: vendor.domain/resource)."""
    if not _RESOURCE.fullmatch(value):
        msg = f"{value!r} is not the name of a resource; write its prefix too, such as intel.com/sriov_netdevice"
        raise ValueError(msg)
    return value


def label_key(value: str) -> str:
    """The key of a Kubernetes label or taint: a name, with a DNS name and a slash before it or not."""
    prefix, slash, name = value.rpartition("/")
    if not _LABEL_NAME.fullmatch(name) or (slash and (len(prefix) > 253 or not DNS_NAME.fullmatch(prefix))):
        msg = f"{value!r} is not the key of a label or taint; write a name of at most 63 characters, best with a domain of yours before it, such as example.com/power"
        raise ValueError(msg)
    return value


def label_value(value: str) -> str:
    """The value of a Kubernetes label or taint."""
    if value and not _LABEL_NAME.fullmatch(value):
        msg = f"{value!r} is not the value of a label or taint; use at most 63 of letters, digits, '-', '_' and '.', beginning and ending with a letter or digit"
        raise ValueError(msg)
    return value


def host_key(value: str) -> str:
    """A public SSH host key as in authorized_keys: type and base64, without a host name before or a comment behind."""
    words = value.split()
    if len(words) < 2 or words[0] not in HOST_KEY_TYPES:
        hint = "ssh-ed25519 AAAA…"
        if len(words) >= 2 and words[0] == "ssh-rsa":
            found = "an ssh-rsa key"
        elif len(words) >= 3 and words[1] in HOST_KEY_TYPES:
            found = "a known_hosts line, with the host name before the key,"
        else:
            found = f"{value[:40]!r}"
        msg = f"{found} is not a host key; write one of {', '.join(HOST_KEY_TYPES)} and its base64, such as '{hint}'"
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


def sha256(value: str) -> str:
    """A SHA-256 sum in hexadecimal, as sha256sum prints it."""
    if not _SHA256.fullmatch(value):
        msg = f"{value[:80]!r} is not a SHA-256 sum; write the 64 digits (0-9, a-f) that sha256sum FILE prints"
        raise ValueError(msg)
    return value


def module_sum(value: str) -> str:
    """The hash of a Go module as go.sum has it (golang.org/x/mod/sumdb/dirhash: h1:<base64 of a SHA-256>)."""
    if not _MODULE_SUM.fullmatch(value):
        msg = f"{value[:80]!r} is not the hash of a Go module; write h1: and 44 characters, as go.sum and `go mod download -json` have it"
        raise ValueError(msg)
    return value


def plugin_name(value: str) -> str:
    """The name of a CNI plugin: that of a file in /opt/cni/bin."""
    if not _PLUGIN.fullmatch(value):
        msg = f"{value!r} is not a plugin's name; write a file's name of letters, digits, '.', '_' and '-', such as macvlan"
        raise ValueError(msg)
    return value


def digest(value: str) -> str:
    """The digest of an image, as registries give it (OCI image specification: sha256:<hex>)."""
    if not _is_digest(value):
        msg = f"{value[:80]!r} is not a digest; write sha256: and 64 digits (0-9, a-f)"
        raise ValueError(msg)
    return value


def _is_digest(value: str) -> bool:
    algorithm, _, encoded = value.partition(":")
    return algorithm == "sha256" and bool(_SHA256.fullmatch(encoded))


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
    if not _REPOSITORY.fullmatch(repository) or (tag and not _TAG.fullmatch(tag)) or (at and not _is_digest(pin)):
        msg = f"{value!r} is not an image reference; write one such as docker.io/library/busybox:1.36"
        raise ValueError(msg)
    if not at and tag in {"", "latest"}:
        msg = f"{value!r} may be another image tomorrow; give a version tag or a digest (@sha256:…)"
        raise ValueError(msg)
    return value


def kubespray_version(value: str) -> str:
    """A release tag of Kubespray."""
    if not _VERSION.fullmatch(value):
        msg = f"{value!r} is not a release tag of Kubespray; write one such as v2.31.0"
        raise ValueError(msg)
    return value


def commit(value: str) -> str:
    """A git commit in full."""
    if not _COMMIT.fullmatch(value):
        msg = f"{value[:80]!r} is not a commit; write its 40 digits (0-9, a-f), as git rev-parse prints them"
        raise ValueError(msg)
    return value


def user_name(value: str) -> str:
    """Who logs in by SSH: a Linux user, or one of a directory such as DOMAIN\\user or user@domain."""
    if not value or value.startswith("-") or any(c in "/:" or c.isspace() or not c.isprintable() for c in value):
        msg = f"{value!r} is not the name of a user; write one such as ubuntu, without white space, '/' and ':', and no '-' first"
        raise ValueError(msg)
    return value


def bare_version(value: str) -> str:
    """A version in three numbers, without a leading v."""
    if not BARE_VERSION.fullmatch(value):
        msg = f"{value!r} is not a version; write three numbers such as {value.lstrip('v') if _VERSION.fullmatch(value) else '1.9.1'}"
        raise ValueError(msg)
    return value


def cni_version(value: str) -> str:
    """A version of the CNI specification."""
    if value not in CNI_VERSIONS:
        msg = f"{value!r} is not a version of the CNI specification; write one of {', '.join(CNI_VERSIONS)}"
        raise ValueError(msg)
    return value


Role = Literal["control-plane", "etcd", "worker"]
Architecture = Literal["amd64", "arm64"]
NodeName = Annotated[str, AfterValidator(label), Field(description="DNS label", examples=["node1"])]
ObjectName = Annotated[str, AfterValidator(label), Field(description="DNS label", examples=["macvlan-internal"])]
InterfaceName = Annotated[str, AfterValidator(interface_name), Field(max_length=IFNAMSIZ, examples=["ens6"])]
PodInterfaceName = Annotated[str, AfterValidator(pod_interface_name), Field(max_length=IFNAMSIZ, examples=["net1"])]
PodmanName = Annotated[str, AfterValidator(podman_name), Field(examples=["internal"])]
PodmanInterfaceName = Annotated[InterfaceName, AfterValidator(podman_name)]
PciAddress = Annotated[str, AfterValidator(pci_address), Field(examples=["0000:3b:00.0"])]
ResourceName = Annotated[str, AfterValidator(resource_name), Field(examples=["intel.com/sriov_netdevice"])]
LabelKey = Annotated[str, AfterValidator(label_key), Field(examples=["example.com/power"])]
LabelValue = Annotated[str, AfterValidator(label_value), Field(examples=["feed-b"])]
HostKey = Annotated[str, AfterValidator(host_key), Field(examples=["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA…"])]
Sha256 = Annotated[
    str, AfterValidator(sha256), Field(examples=["b98f74a0f8522f0a83867178729c1aa70f2158f90c45a2ca8fa791db1c76b303"])
]
ModuleSum = Annotated[
    str, AfterValidator(module_sum), Field(examples=["h1:8oU6WsIsU3bpnNZuvHp74a6cE1MJwbj2P7s4/yTUNlA="])
]
PluginName = Annotated[str, AfterValidator(plugin_name), Field(examples=["macvlan"])]
Digest = Annotated[str, AfterValidator(digest), Field(examples=["sha256:b98f74a0f8522f0a83867178729c1aa7…"])]
PinnedImage = Annotated[str, AfterValidator(pinned_image), Field(examples=["docker.io/library/busybox:1.36"])]
KubesprayVersion = Annotated[str, AfterValidator(kubespray_version), Field(examples=["v2.31.0"])]
Commit = Annotated[str, AfterValidator(commit), Field(examples=["1c9add48975060f45396b34d8e022c30d7f80dab"])]
UserName = Annotated[str, AfterValidator(user_name), Field(examples=["ubuntu"])]
BareVersion = Annotated[str, AfterValidator(bare_version), Field(examples=["1.9.1"])]
CniVersion = Annotated[str, AfterValidator(cni_version), Field(examples=["1.0.0"])]
VlanId = Annotated[int, Field(ge=1, le=4094, description="VLAN id", examples=[110])]
Mtu = Annotated[int, Field(ge=576, le=65535, description="bytes", examples=[1500])]
Port = Annotated[int, Field(ge=1, le=65535)]
