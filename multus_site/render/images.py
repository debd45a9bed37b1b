"""The container images of a site, besides those of Kubespray."""

from multus_site.model.site import Site
from multus_site.render.network import address_management

SHELL = "docker.io/library/busybox:1.36"
"""For scripts in the cluster: routes of pods, the start of the DHCP daemon."""

_MULTUS = "ghcr.io/k8snetworkplumbingwg/multus-cni:v{version}-thick"
_WHEREABOUTS = "ghcr.io/k8snetworkplumbingwg/whereabouts:v{version}"
_SRIOV = "ghcr.io/k8snetworkplumbingwg/sriov-network-device-plugin:v{version}"


def multus(site: Site) -> str:
    """The image of the Multus daemon."""
    return _MULTUS.format(version=site.multus.version)


def whereabouts(site: Site) -> str:
    """The image of the whereabouts daemon."""
    return _WHEREABOUTS.format(version=site.whereabouts.version)


def device_plugin(version: str) -> str:
    """The image of the SR-IOV network device plugin."""
    return _SRIOV.format(version=version)


def images(site: Site) -> dict[str, str]:
    """All images → their purpose."""
    found = {multus(site): "Multus"}
    if any(attachment.default_route for workload in site.workloads.values() for attachment in workload.networks):
        found[SHELL] = "routes of pods"
    if "dhcp" in address_management(site):
        found.setdefault(SHELL, "the DHCP daemon")
    if "whereabouts" in address_management(site):
        found[whereabouts(site)] = "whereabouts"
    if site.sriov is not None and site.sriov.manager == "device-plugin":
        found[device_plugin(site.sriov.version)] = "the SR-IOV device plugin"
    for name, workload in site.workloads.items():
        found.setdefault(workload.image, f"workload {name}")
    if site.interface_repair is not None:
        found.setdefault(site.interface_repair.image, "the interface repair")
    if site.throughput is not None:
        found.setdefault(site.throughput.image, "throughput")
    return found
