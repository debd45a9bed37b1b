"""`multus-site trace`: shows how long each stage of the last update took."""

import json

from multus_site.cli.arguments import SiteName, TextOrJson
from multus_site.cli.usage_error import usage_error


def trace(
    site: SiteName,
    output: TextOrJson = "text",
) -> None:
    """Show how long each stage of the last update took, and why.

    Lists the stages, what each of them waited for, and the slowest tasks of Ansible.
    Exit status: 0, 2 for a usage error.
    """
    from multus_site.cli import stacks
    from multus_site.cli.tables import timeline_table
    from multus_site.kubespray.progress import slowest
    from multus_site.verify.timing import last_update

    stack = stacks.read(site)
    found = last_update(stack.name)
    if found is None:
        stack.outputs()
        usage_error(f"stack {stack.name} has no update that changed anything; apply it first: pulumi up")
    tasks = slowest(stack.site.name, found.started.timestamp())
    if output == "json":
        print(json.dumps({**found.to_json(), "tasks": [{"task": t, "seconds": s} for t, s in tasks]}, indent=2))
    else:
        timeline_table(found, tasks)
