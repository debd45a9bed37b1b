"""MAC addresses, as Go parses them and as the kernel takes them for an interface."""

import re

_BYTE = "[0-9a-fA-F]{2}"
_FORMS = (
    re.compile(r"^[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}\Z"),
    re.compile(r"^[0-9a-fA-F]{2}(?:-[0-9a-fA-F]{2}){5}\Z"),
    re.compile(r"^[0-9a-fA-F]{4}(?:\.[0-9a-fA-F]{4}){2}\Z"),
)


def octets(text: str) -> bytes | None:
    """The six bytes of an Ethernet address in one of the forms of Go's net.ParseMAC; None if it is none."""
    if any(form.match(text) for form in _FORMS):
        return bytes.fromhex(re.sub(r"[:.-]", "", text))
    return None


def hardware_address(text: str, length: int) -> bool:
    """Whether Go's net.ParseMAC takes a text for an address of so many bytes (6, 8 or 20)."""
    digits = re.sub(r"[:.-]", "", text)
    forms = (rf"{_BYTE}(:{_BYTE})*", rf"{_BYTE}(-{_BYTE})*", rf"{_BYTE}{_BYTE}(\.{_BYTE}{_BYTE})*")
    return len(digits) == 2 * length and any(re.fullmatch(form, text) for form in forms)


def unicast(text: str) -> str:
    """The same address with the multicast bit cleared, for hints."""
    found = octets(text)
    return ":".join(f"{b:02x}" for b in (bytes([found[0] & 0xFE]) + found[1:])) if found else "02:00:0a:01:0a:05"
