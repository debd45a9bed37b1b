"""A site of three racks in two rows, with one workload."""


def in_racks(site, workload, **c1):
    """The site with node1 in r1, node2 in r2 and node3 in c1, of which `c1` says more; `workload` as its only one."""
    hosts = {name: {**host} for name, host in site["nodes"]["hosts"].items()}
    for name, rack in (("node1", "r1"), ("node2", "r2"), ("node3", "c1")):
        hosts[name]["rack"] = rack
    racks = {"r1": {"row": "a"}, "r2": {"row": "a"}, "c1": {"row": "b", **c1}}
    return {**site, "nodes": {**site["nodes"], "hosts": hosts}, "racks": racks, "workloads": {"w": workload}}
