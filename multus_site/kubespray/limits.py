"""How long playbooks may take, and how much at once."""

FORKS_AT_LEAST, FORKS_AT_MOST = 5, 50
"""Hosts that Ansible talks to at a time: Ansible's own default, and what a machine of two cores bears."""


def forks(hosts: int) -> int:
    """Ansible's forks for a number of hosts."""
    return min(max(hosts, FORKS_AT_LEAST), FORKS_AT_MOST)


def playbook_seconds(hosts: int) -> int:
    """The limit of one playbook: a real Kubespray needs 10 minutes for three nodes; workers upgrade one after the other, some 5 minutes each."""
    return 3600 + 300 * hosts
