"""Rules on bond: several interfaces of the pod, or of the node, as one."""

from multus_site.lint.registry import Problem, Problems, rule
from multus_site.lint.subjects import Plugin

_BOND = "bond-cni bond/bond.go"


@rule(
    "BOND_LINKS",
    "error",
    "configuration",
    "A bond of fewer than two links",
    example='{"type": "bond", "mode": "active-backup", "miimon": "100", "links": [{"name": "net1"}]}',
    source=f"{_BOND} getLinkObjectsFromConfig: 'bonding requires at least two links'",
)
def bond_links(plugin: Plugin) -> Problems:
    """Each link is an interface by name: of the pod with linksInContainer, else of the node."""
    links = plugin.entries("links")
    if not plugin.reads("links") or (plugin.has("links") and not isinstance(plugin.get("links"), list)):
        return
    if len(links) < 2:
        path = (plugin.key("links"),) if plugin.has("links") else ()
        yield Problem(
            path, "a bond of fewer than two links", 'Give two or more: "links": [{"name": "net1"}, {"name": "net2"}].'
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
    """bond-cni has no defaults: both have to be there, miimon as a whole number in quotes."""
    if not plugin.reads("miimon"):
        return
    if plugin.get("mode") in (None, ""):
        yield Problem((), "bond has no mode", 'Give "mode", such as "active-backup".')
    miimon = plugin.get("miimon")
    if miimon in (None, ""):
        yield Problem(
            (), "bond has no miimon", 'Give "miimon", milliseconds between looks at the links, such as "100".'
        )
    elif isinstance(miimon, str) and not miimon.lstrip("+-").isdigit():
        yield Problem(
            (plugin.key("miimon"),), f"miimon {miimon!r} is no whole number", 'Write milliseconds such as "100".'
        )
    mtu = plugin.integer("mtu")
    if mtu is not None and mtu != 0 and mtu < 68:
        yield Problem((plugin.key("mtu"),), f"mtu {mtu} is too small for a bond", "Write 68 or more.")
