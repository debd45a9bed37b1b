"""Verification: proof, per pod and interface, that the site's networks work."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from multus_site.model.site import Site
from multus_site.verify.expectation import expected

from .local_program import LocalProgram, LocalProgramArgs, last_line
from .outputs import VerificationResult


@dataclass(frozen=True)
class VerificationArgs:
    """What to prove."""

    site: Site
    kubeconfig: pulumi.Output[str]
    applied: pulumi.Output[dict[str, dict[str, object]]]
    """Node → facts and plugins."""
    after: Sequence[pulumi.Input[str]]
    """A change of any of these verifies again."""


class Verification(pulumi.ComponentResource):
    """Every pod of the site has the interfaces, addresses and gateways that it should have, and every node what they need.

    A failed check fails the `up`, with the events of the pod and the log of its node's Multus. reports/<stack>.html is written in both cases.
    Runs again when the site or anything in `after` changes. Destroy does nothing.
    """

    def __init__(self, name: str, args: VerificationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("multus-site:index:Verification", name, {"workloads": list(args.site.workloads)}, opts)
        document = pulumi.Output.all(kubeconfig=args.kubeconfig, applied=args.applied, after=list(args.after)).apply(
            lambda known: _document(args.site, **known)
        )
        run = LocalProgram(
            f"{name}-run",
            LocalProgramArgs("verify", document, time_limit=600),
            pulumi.ResourceOptions(parent=self),
        )
        self.result: pulumi.Output[VerificationResult] = run.record.apply(last_line)
        self.register_outputs({"result": self.result})


def _document(
    site: Site, kubeconfig: str, applied: dict[str, dict[str, object]], after: list[str]
) -> dict[str, object]:
    """The document of the program; `after` makes it run again."""
    expectation = expected(site, applied).model_dump(mode="json", by_alias=True)
    # For the report. It does not need Kubespray's variables, which may be secret.
    shown = site.model_dump(mode="json", by_alias=True, exclude={"kubespray": {"variables"}, "interface_repair": True})
    return {
        "kubeconfig": kubeconfig,
        "after": after,
        "expectation": expectation,
        "stack": pulumi.get_stack(),
        "site": shown,
    }
