"""The images of a site's own pods: what each stage of the graph asks a registry for, besides what Kubespray does."""

from model.site import Site

_MULTUS = "ghcr.io/k8snetworkplumbingwg/multus-cni:v{version}-thick"


def multus(site: Site) -> str:
    """The Multus daemon's."""
    return _MULTUS.format(version=site.multus.version)


def images(site: Site) -> dict[str, str]:
    """All of them, each with what it is for."""
    found = {multus(site): "Multus"}
    for name, workload in site.workloads.items():
        found.setdefault(workload.image, f"workload {name}")
    found.setdefault(site.throughput.image, "throughput")
    return found
