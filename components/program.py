"""A whole stack as a program: its site, and what it proves as outputs."""

import json

import pulumi

from .site import Site, SiteArgs


def run() -> None:
    """Creates the site of the stack's configuration and exports what it proves. Raises pulumi.RunError where the site is wrong."""
    args = SiteArgs.from_config()
    site = Site(args.site.name, args)
    pulumi.export("verification", site.verification)
    pulumi.export("throughput", site.throughput)
    pulumi.export("nodes", site.nodes)
    pulumi.export("kubeconfig", site.kubeconfig)
    # What was applied, with which a review compares the next change. A site may hold what others must not read.
    applied = json.dumps(args.site.model_dump(mode="json", by_alias=True), sort_keys=True)
    pulumi.export("site", pulumi.Output.secret(applied))
