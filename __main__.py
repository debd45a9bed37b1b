"""One stack is one site: read it, build it, export what it proves."""

import pulumi

from components.reading import read_site
from components.secrets import read_secrets
from components.site import Site

config = pulumi.Config()
site, catalog = read_site(config)
built = Site(site, catalog, read_secrets(config, site.nodes))
pulumi.export("verification", built.verification)
pulumi.export("throughput", built.throughput)
pulumi.export("nodes", built.nodes)
pulumi.export("kubeconfig", pulumi.Output.secret(built.kubeconfig))
