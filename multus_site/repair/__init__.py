"""Evicts pods that run without their interfaces. Runs in a pod: Python 3.11 with its standard library, nothing else."""

MODULES = (
    "multus_site.cni.go_json",
    "multus_site.cni.go_object",
    "multus_site.cni.key_types",
    "multus_site.cni.network_status",
    "multus_site.cni.selections",
    "multus_site.model.paths",
    "multus_site.model.printable",
    "multus_site.repair.api",
    "multus_site.repair.findings",
    "multus_site.repair.main",
    "multus_site.repair.metrics",
    "multus_site.repair.one_pass",
    "multus_site.repair.pods",
    "multus_site.repair.record",
    "multus_site.repair.scope",
)
"""All that its pod has of this package. Packages need no __init__.py there."""
