"""Facts of hosts that are not in a site yet: logs in with the confirmed host keys and runs multus_site/scripts/facts.sh."""

from collections.abc import Mapping
from typing import Any

from multus_site.cli.host_keys import HostKey
from multus_site.nodes.preflight.collect import facts_of
from multus_site.ssh.connections import Connections
from multus_site.ssh.fan_out import fan_out
from multus_site.ssh.ssh_route import NotLetInError, OtherKeyError, ReachError

FACTS_SECONDS = 120
PATIENCE = 5
"""Seconds of retries: a host can be at its limit of unfinished logins (MaxStartups)."""


class NoFactsError(RuntimeError):
    """A host could not be inspected; the message gives the reason."""


async def look_at_all(
    connections: Connections, hosts: Mapping[str, HostKey], to_ask: tuple[str, str], user: str, opened_by: str
) -> dict[str, dict[str, Any] | NoFactsError]:
    """Address → facts of each host (address → pinned key), or the reason why there are none.

    `to_ask`: MODULES and PORTS of multus_site/scripts/facts.sh. `offset` of the facts: the host's clock minus ours, seconds.
    """
    modules, ports = to_ask

    async def one(host: str, key: HostKey) -> dict[str, Any]:
        async with connections.to(host, key.text, PATIENCE) as there:
            return await facts_of(there, modules, ports, FACTS_SECONDS)

    outcome = await fan_out(hosts, one, FACTS_SECONDS + 60)
    failed = {host: NoFactsError(worded(error, hosts[host], user, opened_by)) for host, error in outcome.failed.items()}
    answers: dict[str, dict[str, Any] | NoFactsError] = {**outcome.done, **failed}
    return {host: answers[host] for host in hosts}


def worded(error: ReachError, key: HostKey, user: str, opened_by: str) -> str:
    """Why a host was not reached, for a user who has no site yet."""
    if isinstance(error, OtherKeyError):
        before = "known_hosts has" if key.known else "it did before"
        return f"it shows another SSH host key than {before}, so nothing was sent to it; find out which machine answers, or whether it was recreated"
    if isinstance(error, NotLetInError):
        return f"{user} cannot log in with {opened_by}"
    said = str(error).strip()
    if "sudo rejects" in said:
        return "sudo rejects that password"
    if "a password is required" in said:
        return f"{user} cannot become root without a password; add --ask-sudo-password, or write to /etc/sudoers.d/{user} on the host: {user} ALL=(ALL) NOPASSWD: ALL"
    return (said.splitlines() or ["no reason was given"])[-1]
