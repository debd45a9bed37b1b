"""At preview: which pods a change of ranges moves, and a refusal where it would strand addresses that are in use."""

import pulumi
import yaml

from multus_site.model.site import Site
from multus_site.render.range_changes import range_changes
from multus_site.verify.addresses import LiveAddressesError, read


def looked_at(site: Site, kubeconfig: pulumi.Output[str]) -> pulumi.Output[str]:
    """The kubeconfig again, once the live cluster's addresses have been held against the site.

    Looks in previews only: before the first `up` and while the cluster changes there is none to ask. Raises pulumi.RunError
    for what would be stranded; a cluster that does not answer is a warning.
    """

    async def look(text: str) -> str:
        if pulumi.runtime.is_dry_run():
            try:
                live = await read(yaml.safe_load(text))
            except LiveAddressesError as error:
                pulumi.log.warn(f"addresses in use were not looked at: {error}")
                return text
            for sentence in live.unread:
                pulumi.log.warn(sentence)
            found = range_changes(site, live.taken, live.configs)
            for sentence in found.moves:
                pulumi.log.warn(sentence)
            if found.stranded:
                raise pulumi.RunError("\n".join(found.stranded))
        return text

    return kubeconfig.apply(look)
