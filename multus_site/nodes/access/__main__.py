"""`python -m multus_site.nodes.access`: logs in to new hosts of a site, all at once, and names those that cannot be reached.

stdin: {"way", "hosts": {node: {"address", "hostKey"}}} in JSON. Prints the hosts as a line of JSON: the record, which the next run gets in
$PULUMI_COMMAND_STDOUT. pulumi-command would dial a host that does not answer for minutes, and then name a resource.
"""

import asyncio
import json
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any

from multus_site.render.state_record import RecordError, last_printed, packed, unpacked
from multus_site.ssh.connections import connections
from multus_site.ssh.fan_out import fan_out
from multus_site.ssh.ssh_route import ReachError, SshRoute

PATIENCE = 10
"""Seconds of retries: a host can be at its limit of unfinished logins (MaxStartups)."""

SECONDS = 45
"""Time limit for one host, with its bastions."""

LAST = "Nothing was changed. Correct the address, the host key or the login in the site, or start the host; then run the same command again."


class AccessError(Exception):
    """The document is not readable, or hosts cannot be logged in to; the text has a line for each."""


async def refused(route: SshRoute, hosts: Mapping[str, Mapping[str, str]]) -> list[str]:
    """A line for each host that cannot be logged in to."""

    async def one(_: str, host: Mapping[str, str]) -> None:
        async with reached.to(host["address"], host["hostKey"], PATIENCE):
            pass

    async with AsyncExitStack() as stack:
        try:
            async with asyncio.timeout(SECONDS):
                reached = await stack.enter_async_context(connections(route, PATIENCE))
        except TimeoutError:
            return [f"the bastion {route.hops[0].host}: no answer within {SECONDS} s"]
        except ReachError as error:  # a bastion, or the private key
            return [str(error)]
        outcome = await fan_out(hosts, one, SECONDS)
    return [f"{node} ({hosts[node]['address']}): {error}" for node, error in outcome.failed.items()]


def to_check(hosts: Mapping[str, Mapping[str, str]], reached: Mapping[str, Any]) -> dict[str, Mapping[str, str]]:
    """The hosts that are not as they were reached last: a node that is lost does not stop the next `up`. All of them if it is the login that changed."""
    if hosts == reached:
        return dict(hosts)
    return {node: host for node, host in hosts.items() if reached.get(node) != host}


def run(text: str, before: str) -> str:
    """The record. Raises AccessError."""
    try:
        document = json.loads(text)
        route, hosts = SshRoute.parse(document["way"]), dict(document["hosts"])
        lines = asyncio.run(refused(route, to_check(hosts, _record(before))))
    except (ValueError, TypeError, KeyError) as error:
        msg = f"stdin holds no document of components/hosts.py: {error}"
        raise AccessError(msg) from None
    if lines:
        msg = "\n".join([*lines, LAST])
        raise AccessError(msg)
    return packed(hosts)


def _record(text: str) -> dict[str, Any]:
    """The hosts of the last run that succeeded."""
    try:
        return unpacked(text)
    except RecordError:
        return {}


def main() -> int:
    """Check the hosts of the document."""
    try:
        print(run(sys.stdin.read(), last_printed()))
    except AccessError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
