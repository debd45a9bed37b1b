"""Verification: proof, per pod and interface, that the site's networks work."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from multus_site.model.site import Site
from multus_site.verify.expectation import expected

from .local_program import LocalProgram, LocalProgramArgs, last_line


@dataclass(frozen=True)
class VerificationArgs:
    """What to prove."""

    site: Site
    kubeconfig: pulumi.Output[str]
    applied: pulumi.Output[dict[str, Any]]
    """Node → facts and plugins."""
    after: Sequence[pulumi.Input[str]]
    """A change of any of these verifies again."""


class Verification(pulumi.ComponentResource):
    """Every pod of the site has the interfaces, addresses and gateways that it should, and every node what they need.

    After `up` `result` is {"passed", "checks": [{"workload", "pod", "node", "interface", "network", "check", "ok",
    "detail"}], "pods", "nodes"}. `applied`: node → facts and plugins. A failing check fails the `up`, with the events of the pod and the log of its node's Multus.
    reports/<stack>.html is written either way.
    Runs again when the site or anything of `after` changes. Destroy does nothing.
    """

    def __init__(self, name: str, args: VerificationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("multus-site:index:Verification", name, {"workloads": list(args.site.workloads)}, opts)
        document = pulumi.Output.all(kubeconfig=args.kubeconfig, applied=args.applied, after=list(args.after)).apply(
            lambda known: _document(args.site, **known)
        )
        run = LocalProgram(
            f"{name}-run",
            LocalProgramArgs("verify", document, time_limit=600),
            pulumi.ResourceOptions(
                parent=self,
            ),
        )
        self.result: pulumi.Output[dict[str, Any]] = run.record.apply(last_line)
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
