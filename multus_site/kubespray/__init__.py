"""Runs Kubespray for one site: `python -m multus_site.kubespray apply|destroy|prepare`. Independent of Pulumi.

document → plan → source and environment → ansible-playbook runs → record. components/kubespray_cluster.py sends the document as JSON on stdin.
"""
