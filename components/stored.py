"""What this stack's state has of a Command: its last output, where the graph itself can't ask for it."""

from collections.abc import Iterable

import pulumi


async def stored(resources: Iterable[str]) -> dict[str, str]:
    """Output (stdout) of Commands by name, as the state has it before this run changes it. Those that never succeeded are left out."""
    stack = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    answer = await pulumi.runtime.invoke_async("pulumi:pulumi:readStackResourceOutputs", {"stackName": stack})
    wanted = set(resources)
    return {
        name: str(found["outputs"]["stdout"])
        for urn, found in ((answer or {}).get("outputs") or {}).items()
        if (name := urn.rpartition("::")[2]) in wanted and "stdout" in found["outputs"]
    }
