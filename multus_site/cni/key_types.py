"""Types of plugins' keys, and the JSON values that Go accepts for them."""

WORDS = {
    "text": "text in quotes",
    "int": "a whole number",
    "uint": "a whole number, 0 or more",
    "bool": "true or false, without quotes",
    "object": "an object {…}",
    "list": "a list […]",
    "texts": "a list of text […]",
    "objects": "a list of objects […]",
    "flags": 'an object such as {"ips": true}',
    "strings": "an object whose values are text in quotes",
}
"""The types in words; `any` accepts every value."""

_NARROWER = {"interface": "text", "vlan": "int", "trunk": "objects"}
"""Types that are narrower than in Go: the name of a network interface, a VLAN id, the VLANs of a trunk."""


def go_type(kind: str) -> str:
    """The type as Go sees it."""
    return _NARROWER.get(kind, kind)


def fits(kind: str, value: object) -> bool:
    """Whether Go's encoding/json accepts a JSON value for a field of a type. Null is always accepted."""
    kind = go_type(kind)
    if value is None or kind == "any":
        return True
    number = isinstance(value, int) and not isinstance(value, bool)
    if kind == "int":
        return number and -(2**63) <= int(str(value)) < 2**63
    if kind == "uint":
        return number and 0 <= int(str(value)) < 2**64
    simple = {"text": str, "bool": bool, "object": dict, "list": list}
    if kind in simple:
        return isinstance(value, simple[kind])
    if kind in {"texts", "objects"}:
        return isinstance(value, list) and all(fits(kind[:-1], item) for item in value)
    inner = "bool" if kind == "flags" else "text"
    return isinstance(value, dict) and all(fits(inner, item) for item in value.values())
