"""The last outputs of resources in this stack's state, which the graph itself cannot read."""

from typing import Any

import pulumi


async def stored() -> dict[str, dict[str, Any]]:
    """Outputs by `Kind name`, from the state before this run; resources that were never created are left out."""
    stack = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    answer = await pulumi.runtime.invoke_async("pulumi:pulumi:readStackResourceOutputs", {"stackName": stack})
    found = ((answer or {}).get("outputs") or {}).items()
    return {f"{its['type'].rpartition(':')[2]} {urn.rpartition('::')[2]}": its["outputs"] for urn, its in found}


async def last_words(commands: list[str]) -> dict[str, str]:
    """The last stdout of Commands, by name; those that never succeeded are left out."""
    outputs = await stored()
    named = {name: outputs.get(f"Command {name}", {}) for name in commands}
    return {name: str(its["stdout"]) for name, its in named.items() if "stdout" in its}
