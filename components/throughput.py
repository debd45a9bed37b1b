"""Throughput: how fast the site's networks are between nodes, where the site asks for it."""

import json
from collections.abc import Sequence
from typing import Any

import pulumi
from pulumi_command import local

from multus_site.model.site import Site

from .runners import within

RUNNER = f"{within(7200, 30)} -m multus_site.throughput"
"""The same on every machine: a path of this one in the command would make it look changed on the next."""


class Throughput(pulumi.ComponentResource):
    """Every network measured with iperf3 between two workers, with the pod network and the bare nodes in the same run.

    After `up` `result` is a list of {"network", "protocol", "streams", "from", "to", "gbitsPerSecond", "stddev", "retransmits",
    "ratioToNode", "ratioToNodeRange", "latencyMicroseconds", …}. Its pods are gone by then. Runs again when its settings or anything of `after`
    changes. Destroy does nothing.
    """

    def __init__(
        self,
        name: str,
        site: Site,
        image: str,
        kubeconfig: pulumi.Output[str],
        after: Sequence[pulumi.Input[str]],
        provider: pulumi.ProviderResource,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`image`: of the site's settings, pinned."""
        super().__init__("multus-site:index:Throughput", name, {"networks": list(site.networks)}, opts)
        # What a measurement depends on; a new workload is none of it.
        shown = site.model_dump(mode="json", by_alias=True, exclude={"workloads", "kubespray"})
        stack = pulumi.get_stack()
        document = pulumi.Output.all(kubeconfig=kubeconfig, after=pulumi.Output.all(*after)).apply(
            lambda values: json.dumps({**values, "stack": stack, "site": shown, "image": image}, sort_keys=True)
        )
        stdin: pulumi.Output[str] = pulumi.Output.secret(document)
        run = local.Command(
            f"{name}-run",
            create=RUNNER,
            stdin=stdin,
            logging=local.Logging.STDERR,
            add_previous_output_in_env=False,
            opts=pulumi.ResourceOptions(parent=self, provider=provider, hide_diffs=["stdin"]),
        )
        # The kubeconfig makes the whole input secret; the result holds figures only.
        self.result: pulumi.Output[list[dict[str, Any]]] = pulumi.Output.unsecret(run.stdout).apply(_result)
        self.register_outputs({"result": self.result})


def _result(text: str) -> list[dict[str, Any]]:
    return list(json.loads(text.strip().splitlines()[-1]))
