"""Address management: host-local, static, dhcp, whereabouts."""

from multus_site.cni.plugin_type import IpamPlugin

_ADDRESS = {"address": "text", "gateway": "text"}

HOST_LOCAL = IpamPlugin(
    name="host-local",
    keys={
        "type": "text",
        "name": "text",
        "ranges": "list",
        "subnet": "text",
        "rangeStart": "text",
        "rangeEnd": "text",
        "gateway": "text",
        "routes": "objects",
        "dataDir": "text",
        "resolvConf": "text",
    },
    inner={"ranges": {"subnet": "text", "rangeStart": "text", "rangeEnd": "text", "gateway": "text"}},
    binary="release",
    oldest_version="0.1.0",
    modules=(),
    remembers="node",
    daemon=False,
    controller=False,
)

STATIC = IpamPlugin(
    name="static",
    keys={"type": "text", "name": "text", "addresses": "objects", "routes": "objects", "dns": "object"},
    inner={"addresses": _ADDRESS},
    binary="release",
    oldest_version="0.1.0",
    modules=(),
    remembers="nothing",
    daemon=False,
    controller=False,
)

DHCP = IpamPlugin(
    name="dhcp",
    keys={"type": "text", "daemonSocketPath": "text", "request": "objects", "provide": "objects", "priority": "int"},
    binary="release",
    oldest_version="0.1.0",
    modules=(),
    remembers="server",
    daemon=True,
    controller=False,
)

WHEREABOUTS = IpamPlugin(
    name="whereabouts",
    keys={
        "type": "text",
        "name": "text",
        "range": "text",
        "range_start": "text",
        "range_end": "text",
        "exclude": "texts",
        "gateway": "text",
        "ipRanges": "objects",
        "routes": "objects",
        "dns": "object",
        "addresses": "objects",
        "node_slice_size": "text",
        "enable_overlapping_ranges": "bool",
        "network_name": "text",
        "log_file": "text",
        "log_level": "text",
        "configuration_path": "text",
        "kubernetes": "object",
        "leader_lease_duration": "int",
        "leader_renew_deadline": "int",
        "leader_retry_period": "int",
        "sleep_for_race": "int",
        "reconciler_cron_expression": "text",
        "datastore": "text",
        "etcd_host": "text",
        "etcd_username": "text",
        "etcd_password": "text",
        "etcd_key_file": "text",
        "etcd_cert_file": "text",
        "etcd_ca_cert_file": "text",
        "podname": "text",
        "podnamespace": "text",
    },
    inner={
        "ipRanges": {"range": "text", "range_start": "text", "range_end": "text", "exclude": "texts"},
        "addresses": _ADDRESS,
        "kubernetes": {"kubeconfig": "text", "k8s_api_root": "text"},
    },
    values={"log_level": ("debug", "verbose", "error", "panic"), "datastore": ("kubernetes", "etcd")},
    binary="daemon",
    oldest_version="0.1.0",
    modules=(),
    spelling={"networkName": "network_name"},
    remembers="cluster",
    daemon=True,
    controller=False,
)

UNKNOWN = IpamPlugin(
    name="",
    keys={"type": "text"},
    binary="site",
    oldest_version="0.1.0",
    modules=(),
    remembers="nothing",
    daemon=False,
    controller=True,
)
"""Any address management that the catalogue does not have."""
