"""`multus-site explain`: says why a pod hangs or lacks an interface."""

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from multus_site.cli.arguments import TextOrJson
from multus_site.cli.usage_error import usage_error

if TYPE_CHECKING:
    from multus_site.verify.pod_evidence import Evidence


def explain(
    kind: Annotated[Literal["pod"], typer.Argument(metavar="pod", help="The word pod.", show_default=False)],
    name: Annotated[str, typer.Argument(metavar="[NAMESPACE/]POD", help="The pod.", show_default=False)],
    namespace: Annotated[
        str | None, typer.Option("--namespace", "-n", help="Its namespace. Default: default.", show_default=False)
    ] = None,
    site: Annotated[
        str | None, typer.Option(help="Take the kubeconfig of this stack.", metavar="SITE", show_default=False)
    ] = None,
    kubeconfig: Annotated[Path | None, typer.Option(help="Kubeconfig of the cluster. Default: $KUBECONFIG.")] = None,
    context: Annotated[str | None, typer.Option(help="Context of the kubeconfig.")] = None,
    output: TextOrJson = "text",
) -> None:
    """Say why a pod hangs in ContainerCreating or lacks an interface.

    Reads the pod's events, its networks, the log of its node's Multus daemon, and through that daemon the node's plugins and NICs.
    Changes nothing.
    Exit status: 0 if nothing is wrong, 1 if a cause is found, 2 for a usage error or if it cannot be checked.
    """
    import yaml

    from multus_site.cli import stacks
    from multus_site.model.printable import cleaned
    from multus_site.verify.cluster import Cluster
    from multus_site.verify.connection import connected
    from multus_site.verify.explain import explained
    from multus_site.verify.pod_evidence import NoPodError, evidence

    del kind
    before, slash, pod = name.rpartition("/")
    if not pod or "/" in before or (slash and not before):
        usage_error(f"{name!r} is not a pod; write NAMESPACE/POD, such as default/samplepod-1")
    if before and namespace and before != namespace:
        usage_error(f"{name} is in namespace {before}, and --namespace says {namespace}; omit one of them")
    if site and (kubeconfig or context):
        usage_error("--site has a kubeconfig of its own; omit --kubeconfig and --context")
    source: Any = str(kubeconfig) if kubeconfig else None
    if site:
        source = yaml.safe_load(stacks.read(site).outputs()["kubeconfig"])

    async def look() -> "Evidence":
        cluster = Cluster(await connected(source, context))
        return await evidence(cluster, before or namespace or "default", pod)

    try:
        known = asyncio.run(look())
    except NoPodError as error:
        usage_error(str(error))
    except Exception as error:  # kr8s and httpx raise many kinds; each means the same to the user
        usage_error(f"the cluster cannot be read: {str(error) or type(error).__name__}")
    causes, unknown = explained(known)
    row: dict[str, Any] = {
        "pod": known.name,
        "node": known.node_name,
        "phase": known.pod.get("status", {}).get("phase", ""),
        "causes": [one.row() for one in causes],
        "unknown": unknown,
    }
    if output == "json":
        print(json.dumps(row, indent=2))
    else:
        print(_text(cleaned(row)))
    for why in unknown:
        print(cleaned(f"not checked: {why}"), file=sys.stderr)
    raise typer.Exit(1 if causes else 2 if unknown else 0)


def _text(row: Any) -> str:  # noqa: ANN401  # plain data, as printed
    """The explanation for people."""
    where = f" on {row['node']}" if row["node"] else ", which has no node yet"
    lines = [f"Pod {row['pod']}{where}: {row['phase']}"]
    for one in row["causes"]:
        rule = f" ({one['rule']})" if one["rule"] else ""
        lines += ["", f"{one['cause']}{rule}: {one['what']}", f"  object  {one['object']}"]
        lines += [f"  path    {one['path']}"] if one["path"] else []
        lines += [f"  remedy  {one['remedy']}"]
        lines += [f"  said    {one['said'].strip()}"] if one["said"] else []
    if not row["causes"] and not row["unknown"]:
        lines.append("nothing is wrong with its networks")
    return "\n".join(lines)
