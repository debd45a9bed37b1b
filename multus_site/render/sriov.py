"""Objects that make virtual functions available to pods: the device plugin, or policies for an existing operator."""

import hashlib
import json
from typing import Any

from multus_site.model.site import Site
from multus_site.model.sriov import SriovPool, SriovSetup
from multus_site.render import topology
from multus_site.render.daemon import NAMESPACE, daemon_set, folder, mount

NAME = "sriov-device-plugin"
POLICY = ("sriovnetwork.openshift.io/v1", "SriovNetworkNodePolicy")


def device_plugin_config(setup: SriovSetup) -> dict[str, Any]:
    """The device plugin's configuration (sriov-network-device-plugin docs/README: resourceList)."""
    return {"resourceList": [_resource(pool) for pool in setup.pools.values()]}


def _resource(pool: SriovPool) -> dict[str, Any]:
    prefix, _, name = pool.resource_name.partition("/")
    selectors: dict[str, Any] = {"pfNames": list(pool.pf_names)}
    if pool.driver == "vfio-pci":
        selectors["drivers"] = ["vfio-pci"]
    return {"resourcePrefix": prefix, "resourceName": name, "selectors": [selectors]}


def config_map(setup: SriovSetup) -> dict[str, Any]:
    """The configuration as the device plugin mounts it."""
    text = json.dumps(device_plugin_config(setup), indent=2, sort_keys=True) + "\n"
    return {"metadata": {"name": NAME, "namespace": NAMESPACE}, "data": {"config.json": text}}


def daemon(image: str, setup: SriovSetup, nodes: list[str]) -> dict[str, Any]:
    """The device plugin on the nodes with virtual functions."""
    container = {
        "name": NAME,
        "image": image,
        "args": ["--log-dir=sriovdp", "--log-level=10"],
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "200Mi"}},
        "securityContext": {"privileged": True},
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [
            mount("devicesock", "/var/lib/kubelet/device-plugins"),
            mount("plugins-registry", "/var/lib/kubelet/plugins_registry"),
            mount("device-info", "/var/run/k8s.cni.cncf.io/devinfo/dp"),
            mount("config", "/etc/pcidp"),
        ],
    }
    volumes = [
        folder("devicesock", "/var/lib/kubelet/device-plugins"),
        folder("plugins-registry", "/var/lib/kubelet/plugins_registry"),
        folder("device-info", "/var/run/k8s.cni.cncf.io/devinfo/dp"),
        {"name": "config", "configMap": {"name": NAME}},
    ]
    # The plugin counts functions when it starts: another number of them is another configuration.
    counted = {name: [pool.num_vfs, *pool.pf_names] for name, pool in sorted(setup.pools.items())}
    text = config_map(setup)["data"]["config.json"] + json.dumps(counted)
    written = hashlib.sha256(text.encode()).hexdigest()[:16]
    made = daemon_set(NAME, [container], volumes, NAME, annotations={"multus-site/config": written})
    made["spec"]["template"]["spec"]["affinity"] = topology.affinity(topology.on_nodes(nodes))
    return made


def policies(site: Site, setup: SriovSetup) -> dict[str, dict[str, Any]]:
    """The operator's policies by name, one per pool and node, because a node selector cannot list nodes."""
    found = {}
    for name, pool in setup.pools.items():
        for node in site.nodes_of_pool(pool):
            spec = {
                "resourceName": pool.resource_name.partition("/")[2],
                "nodeSelector": {"kubernetes.io/hostname": node},
                "numVfs": pool.num_vfs,
                "nicSelector": {"pfNames": list(pool.pf_names)},
                "deviceType": pool.driver,
                "isRdma": False,
            }
            metadata = {"name": f"{name}-{node}", "namespace": setup.operator_namespace}
            found[f"{name}-{node}"] = {"metadata": metadata, "spec": spec}
    return found
