"""Rules on the bond plugin."""

from multus_site.lint.registry import Problem, Problems, rule
from multus_site.lint.subjects import Plugin

_BOND = "bond-cni bond/bond.go"


@rule(
    "BOND_LINKS",
    "error",
    "configuration",
    "A bond with fewer than two links",
    example='{"type": "bond", "mode": "active-backup", "miimon": "100", "links": [{"name": "net1"}]}',
    source=f"{_BOND} getLinkObjectsFromConfig: 'bonding requires at least two links'",
)
def bond_links(plugin: Plugin) -> Problems:
    """Each link names an interface: of the pod with linksInContainer, otherwise of the node."""
    links = plugin.entries("links")
    if not plugin.reads("links") or (plugin.has("links") and not isinstance(plugin.get("links"), list)):
        return
    if len(links) < 2:
        path = (plugin.key("links"),) if plugin.has("links") else ()
        yield Problem(
            path, "a bond with fewer than two links", 'List two or more: "links": [{"name": "net1"}, {"name": "net2"}].'
        )
    for link in plugin.objects("links"):
        if not link.text("name"):
            yield Problem(link.path, "a link without a name", 'Write {"name": "net1"}.')


@rule(
    "BOND_SETTINGS",
    "error",
    "configuration",
    "A bond without mode or link monitoring",
    example='{"type": "bond", "links": [{"name": "net1"}, {"name": "net2"}]}',
    source=f"{_BOND} loadConfigFile, createBondedLink",
)
def bond_settings(plugin: Plugin) -> Problems:
    """bond-cni has no defaults: set both, miimon as a whole number in quotes."""
    if not plugin.reads("miimon"):
        return
    if plugin.get("mode") in (None, ""):
        yield Problem((), "bond has no mode", 'Set "mode", such as "active-backup".')
    miimon = plugin.get("miimon")
    if miimon in (None, ""):
        yield Problem(
            (), "bond has no miimon", 'Set "miimon", the interval of link checks in milliseconds, such as "100".'
        )
    elif isinstance(miimon, str) and not miimon.lstrip("+-").isdigit():
        yield Problem(
            (plugin.key("miimon"),), f"miimon {miimon!r} is not a whole number", 'Write milliseconds such as "100".'
        )
    mtu = plugin.integer("mtu")
    if mtu is not None and mtu != 0 and mtu < 68:
        yield Problem((plugin.key("mtu"),), f"mtu {mtu} is too small for a bond", "Write 68 or more.")
