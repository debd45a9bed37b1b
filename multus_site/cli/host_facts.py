"""What there is on hosts that are in no site yet: each is logged in to with its confirmed key, and multus_site/scripts/facts.sh looks at it."""

from collections.abc import Mapping
from typing import Any

from multus_site.cli.host_keys import HostKey
from multus_site.nodes.preflight.collect import facts_of
from multus_site.ssh.connections import Connections
from multus_site.ssh.fan_out import fan_out
from multus_site.ssh.ssh_route import NotLetInError, OtherKeyError, ReachError

FACTS_SECONDS = 120
PATIENCE = 5
"""Seconds for which a host is asked again: it may be at its limit of unfinished logins."""


class NoFactsError(RuntimeError):
    """A host that could not be looked at: the message says why."""


async def look_at_all(
    connections: Connections, hosts: Mapping[str, HostKey], to_ask: tuple[str, str], user: str, opened_by: str
) -> dict[str, dict[str, Any] | NoFactsError]:
    """The facts of all hosts (address → pinned key), at once, as multus_site/scripts/facts.sh prints them for these MODULES and PORTS, and `offset`: the host's clock
    minus ours in seconds. Of those that could not be looked at, why."""
    modules, ports = to_ask

    async def one(host: str, key: HostKey) -> dict[str, Any]:
        async with connections.to(host, key.text, PATIENCE) as there:
            return await facts_of(there, modules, ports, FACTS_SECONDS)

    outcome = await fan_out(hosts, one, FACTS_SECONDS + 60)
    failed = {host: NoFactsError(worded(error, hosts[host], user, opened_by)) for host, error in outcome.failed.items()}
    answers: dict[str, dict[str, Any] | NoFactsError] = {**outcome.done, **failed}
    return {host: answers[host] for host in hosts}


def worded(error: ReachError, key: HostKey, user: str, opened_by: str) -> str:
    """Why a host was not reached, for somebody who has no site yet."""
    if isinstance(error, OtherKeyError):
        before = "known_hosts has" if key.known else "it did before"
        return f"it shows another SSH host key than {before}, so nothing was sent to it; find out who answers there, or whether the machine was made anew"
    if isinstance(error, NotLetInError):
        return f"{user} cannot log in with {opened_by}"
    said = str(error).strip()
    if "sudo does not take" in said:
        return "sudo does not take that password"
    if "a password is required" in said:
        return f"{user} cannot become root without a password; add --ask-sudo-password, or write into /etc/sudoers.d/{user} there: {user} ALL=(ALL) NOPASSWD: ALL"
    return (said.splitlines() or ["no reason was given"])[-1]
