"""Objects of which operators make networks: the SR-IOV network operator (api/v1), and NVIDIA's network operator (api/v1alpha1).

The API server silently drops their unknown keys.
"""

from multus_site.cni.plugin_type import ObjectType

SRIOV_IB = ObjectType(
    name="SriovIBNetwork",
    keys={
        "networkNamespace": "text",
        "resourceName": "text",
        "capabilities": "text",
        "ipam": "text",
        "linkState": "text",
        "metaPlugins": "text",
    },
    inner={},
    values={"linkState": ("auto", "enable", "disable")},
)

OVS = ObjectType(
    name="OVSNetwork",
    keys={
        "networkNamespace": "text",
        "resourceName": "text",
        "capabilities": "text",
        "ipam": "text",
        "bridge": "text",
        "vlan": "vlan",
        "mtu": "uint",
        "trunk": "trunk",
        "interfaceType": "text",
        "metaPlugins": "text",
    },
    inner={"trunk": {"minID": "uint", "maxID": "uint", "id": "uint"}},
    values={},
)

MACVLAN = ObjectType(
    name="MacvlanNetwork",
    keys={"networkNamespace": "text", "master": "text", "mode": "text", "mtu": "int", "ipam": "text"},
    inner={},
    values={"mode": ("bridge", "private", "vepa", "passthru")},
)

HOST_DEVICE = ObjectType(
    name="HostDeviceNetwork",
    keys={"networkNamespace": "text", "resourceName": "text", "ipam": "text"},
    inner={},
    values={},
)

IPOIB = ObjectType(
    name="IPoIBNetwork",
    keys={"networkNamespace": "text", "master": "text", "ipam": "text"},
    inner={},
    values={},
)
