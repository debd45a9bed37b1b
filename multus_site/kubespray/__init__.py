"""Runs Kubespray for one site: `python -m multus_site.kubespray apply|destroy|prepare`. No Pulumi in here.

document → plan → environment and source → ansible-playbook runs → record. The document comes as JSON on stdin from components/kubespray_cluster.py.
"""
