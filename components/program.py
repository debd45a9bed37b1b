"""A whole stack as a program: its site, built, and what it proves as outputs."""

import json

import pulumi

from .load_config import read_site
from .secrets import read_secrets
from .site import Site


def run() -> None:
    """Builds the site of the stack's configuration and exports what it proves. Raises pulumi.RunError where the site is wrong."""
    # Keys are multus-site:…, whatever the project is called.
    config = pulumi.Config("multus-site")
    site, catalog = read_site(config)
    built = Site(site, catalog, read_secrets(config, site.nodes))
    pulumi.export("verification", built.verification)
    pulumi.export("throughput", built.throughput)
    pulumi.export("nodes", built.nodes)
    pulumi.export("kubeconfig", pulumi.Output.secret(built.kubeconfig))
    # What was applied, with which a review compares the next change. A site may hold what is nobody's business.
    pulumi.export("site", pulumi.Output.secret(json.dumps(site.model_dump(mode="json", by_alias=True), sort_keys=True)))
