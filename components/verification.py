"""Verification: proof, per pod and interface, that the site's networks work."""

import json
from collections.abc import Sequence
from typing import Any

import pulumi
from pulumi_command import local

from multus_site.model.site import Site
from multus_site.verify.expectation import expected

from .runners import within

RUNNER = f"{within(600)} -m multus_site.verify"
"""The same on every machine: a path of this one in the command would make it look changed on the next."""


class Verification(pulumi.ComponentResource):
    """Every pod of the site has the interfaces, addresses and gateways that it should, and every node what they need.

    After `up` `result` is {"passed", "checks": [{"workload", "pod", "node", "interface", "network", "check", "ok",
    "detail"}], "pods", "nodes"}. `applied`: node → facts and plugins. A failing check fails the `up`, with the events of the pod and the log of its node's Multus.
    reports/<stack>.html is written either way.
    Runs again when the site or anything of `after` changes. Destroy does nothing.
    """

    def __init__(
        self,
        name: str,
        site: Site,
        kubeconfig: pulumi.Output[str],
        applied: pulumi.Output[dict[str, Any]],
        after: Sequence[pulumi.Input[str]],
        provider: pulumi.ProviderResource,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("multus-site:index:Verification", name, {"workloads": list(site.workloads)}, opts)
        document = pulumi.Output.all(kubeconfig=kubeconfig, applied=applied, after=pulumi.Output.all(*after)).apply(
            lambda values: json.dumps(_document(site, **values), sort_keys=True)
        )
        stdin: pulumi.Output[str] = pulumi.Output.secret(document)
        run = local.Command(
            f"{name}-run",
            create=RUNNER,
            stdin=stdin,
            logging=local.Logging.NONE,
            add_previous_output_in_env=False,
            opts=pulumi.ResourceOptions(parent=self, provider=provider, hide_diffs=["stdin"]),
        )
        # The kubeconfig makes the whole input secret; the result holds pods, addresses and pings only.
        self.result: pulumi.Output[dict[str, Any]] = pulumi.Output.unsecret(run.stdout).apply(_result)
        self.register_outputs({"result": self.result})


def _document(site: Site, kubeconfig: str, applied: dict[str, Any], after: list[str]) -> dict[str, Any]:
    """What the program is given; `after` is there to make it run again."""
    expectation = expected(site, applied).model_dump(mode="json", by_alias=True)
    # For the report. Variables of Kubespray are none of its business, and may be secret.
    shown = site.model_dump(mode="json", by_alias=True, exclude={"kubespray": {"variables"}})
    return {
        "kubeconfig": kubeconfig,
        "after": after,
        "expectation": expectation,
        "stack": pulumi.get_stack(),
        "site": shown,
    }


def _result(text: str) -> dict[str, Any]:
    return dict(json.loads(text.strip().splitlines()[-1]))
