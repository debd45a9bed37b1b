"""Rules on the interfaces of a pod in the order in which Multus creates them."""

from multus_site.cni.selections import ANNOTATION
from multus_site.lint.registry import Problem, Problems, rule
from multus_site.lint.subjects import Config, Everything, Plugin, Pod

_OWN = ("eth0", "lo")


@rule(
    "POD_INTERFACE_MISSING",
    "error",
    "together",
    "An interface that the pod does not have yet",
    example='networks: bond-net@bond0, vf@net1, vf@net2, where bond-net has "links": [{"name": "net1"}, {"name": "net2"}]',
    source="multus-cni pkg/multus/multus.go CmdAdd: delegates in the order of the annotation; bond-cni, plugins/main linkInContainer",
)
def pod_interface_missing(everything: Everything) -> Problems:
    """Multus attaches networks in the order of the annotation. A bond of links in the pod, or a plugin with linkInContainer, needs its interfaces before it."""
    nads = {nad.full_name: nad.config for nad in everything.nads if nad.config}
    for pod in everything.pods:
        every = [selection.interface for selection in pod.selections]
        for i, selection in enumerate(pod.selections):
            for plugin in _plugins(nads.get(selection.full_name)):
                for name in _inside(plugin):
                    if name in _OWN or name in every[:i]:
                        continue
                    if name in every[i + 1 :]:
                        message = f"{selection.full_name} needs {name}, which the pod gets after it"
                        hint = f"Move {pod.selections[every.index(name, i + 1)].full_name} before it."
                    else:
                        have = ", ".join([*_OWN[:1], *every[:i]])
                        message = f"{selection.full_name} needs {name}, and the pod has {have}"
                        hint = "Attach a network with this interface name before it, or correct the name in the NAD."
                    yield Problem(selection.path, message, hint, None, selection.offset, pod)


def _plugins(config: Config | None) -> tuple[Plugin, ...]:
    return config.plugins if config else ()


def _inside(plugin: Plugin) -> list[str]:
    """Interfaces of the pod that a plugin uses."""
    if plugin.get("linksInContainer") is True and plugin.reads("linksInContainer"):
        return [name for link in plugin.objects("links") if (name := link.text("name"))]
    if plugin.get("linkInContainer") is True and plugin.reads("linkInContainer"):
        return [plugin.text("master")] if plugin.text("master") else []
    return []


@rule(
    "INTERFACE_TWICE",
    "error",
    "configuration",
    "Several plugins that create the interface",
    example='"plugins": [{"type": "host-device", "device": "ens1f0"}, {"type": "host-device", "device": "ens1f1"}]',
    source="CNI specification 1.1, section 2: CNI_IFNAME is one name for all plugins of a list; kernel: 'file exists'",
)
def interface_twice(config: Config) -> Problems:
    """An attachment is one interface: all plugins of a list get the same name, and the second that creates it fails."""
    makers = [plugin for plugin in config.plugins if plugin.traits.makes == "interface" and not plugin.works_on_earlier]
    for plugin in makers[1:]:
        path = (*plugin.path[len(config.path) :], plugin.key("type"))
        message = f"{plugin.type} creates the interface that {makers[0].type} already created"
        yield Problem(path, message, "Write a NAD for each interface, and list them all in the pod's annotation.")


@rule(
    "INFINIBAND_MASTER",
    "warning",
    "configuration",
    "A plugin for Ethernet on an InfiniBand NIC",
    example='{"type": "macvlan", "master": "ib0"}',
    source="kernel drivers/net/macvlan.c macvlan_port_create, drivers/net/ipvlan: only ARPHRD_ETHER; net/8021q: NETIF_F_VLAN_CHALLENGED",
)
def infiniband_master(plugin: Plugin) -> Problems:
    """The kernel refuses macvlan, ipvlan and vlan on IP over InfiniBand: 'invalid argument'."""
    traits, name = plugin.traits, plugin.known_master
    ethernet = traits.nic is not None and (traits.nic.takes_frames or traits.tags)
    if ethernet and _is_infiniband(name):
        hint = 'Use {"type": "ipoib"} (ipoib-cni) or an SR-IOV network of InfiniBand; or name an Ethernet NIC.'
        yield Problem((plugin.key("master"),), f"{name} is an InfiniBand NIC, judging by its name", hint)


def _is_infiniband(name: str) -> bool:
    """Names of InfiniBand NICs: ib0, ibs10, ibp94s0f1."""
    return name.startswith("ib") and name[2:3].isdigit() | (name[2:3] in {"s", "p", "o"} and name[3:4].isdigit())


@rule(
    "HOST_NETWORK",
    "warning",
    "configuration",
    "Networks for a pod in the node's network",
    example="hostNetwork: true and k8s.v1.cni.cncf.io/networks: internal",
    source="Kubernetes: the runtime calls no CNI plugin for a pod with hostNetwork",
)
def host_network(pod: Pod) -> Problems:
    """The pod has the node's interfaces, Multus is not called, and no error is reported."""
    if pod.spec.get("hostNetwork") is True and pod.annotations.get(ANNOTATION):
        hint = "Remove hostNetwork: true, or the annotation."
        yield Problem(pod.place(ANNOTATION), "the pod has hostNetwork: true, and gets none of its networks", hint)
