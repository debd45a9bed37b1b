"""SiteContext: what every stage of a site needs."""

from dataclasses import dataclass
from typing import Any

import pulumi

from multus_site.model.catalog import Catalog
from multus_site.model.site import Site

from .drift import Drift
from .leaks import Returned
from .pulumi_state import LastUpdate
from .secrets import Secrets
from .ssh import Ssh


@dataclass(frozen=True)
class SiteContext:
    """The site, and what creates its resources. Names of resources begin with `site.name`."""

    site: Site
    catalog: Catalog
    secrets: Secrets
    ssh: Ssh
    drift: Drift
    last: LastUpdate
    returned: Returned
    commands: pulumi.ProviderResource
    parent: pulumi.Resource

    @property
    def kubespray_variables(self) -> dict[str, Any]:
        """Kubespray's variables of the catalogue and the site, without the secret ones."""
        return {**self.catalog.kubespray.variables, **self.site.kubespray.all_variables()}

    def opts(self, *depends_on: pulumi.Resource, **more: Any) -> pulumi.ResourceOptions:  # noqa: ANN401 - any option
        """The options of a component of this site."""
        return pulumi.ResourceOptions(parent=self.parent, depends_on=list(depends_on), **more)
