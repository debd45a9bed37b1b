"""A site of three racks, one of them dedicated, with one workload."""


def in_racks(site, workload):
    """The site with node1 in r1, node2 in r2 and node3 in c1, which is dedicated; `workload` as its only one."""
    hosts = site["nodes"]["hosts"]
    for name, rack in (("node1", "r1"), ("node2", "r2"), ("node3", "c1")):
        hosts[name]["rack"] = rack
    racks = {"r1": {"row": "a"}, "r2": {"row": "a"}, "c1": {"row": "b", "dedicated": True}}
    return {**site, "racks": racks, "workloads": {"w": workload}}
