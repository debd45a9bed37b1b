"""One stack is one site: read it, build it, export what it proves."""

import json

import pulumi

from components.load_config import read_site
from components.secrets import read_secrets
from components.site import Site

config = pulumi.Config()
site, catalog = read_site(config)
built = Site(site, catalog, read_secrets(config, site.nodes))
pulumi.export("verification", built.verification)
pulumi.export("throughput", built.throughput)
pulumi.export("nodes", built.nodes)
pulumi.export("kubeconfig", pulumi.Output.secret(built.kubeconfig))
# What was applied, which a review holds the next change against. A site may hold what is nobody's business.
pulumi.export("site", pulumi.Output.secret(json.dumps(site.model_dump(mode="json", by_alias=True), sort_keys=True)))
