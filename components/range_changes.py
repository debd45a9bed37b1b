"""At preview: the pods that a change of ranges moves, and an error if it would strand addresses in use."""

import pulumi
import yaml

from multus_site.model.site import Site
from multus_site.render.range_changes import range_changes
from multus_site.verify.addresses import LiveAddressesError, read


def compared_with_cluster(site: Site, kubeconfig: pulumi.Output[str]) -> pulumi.Output[str]:
    """The kubeconfig, after a comparison of the live cluster's addresses with the site.

    Only previews compare: before the first `up`, and while the cluster changes, no cluster answers. Raises pulumi.RunError
    for addresses that would be stranded; warns if the cluster does not answer.
    """

    async def look(text: str) -> str:
        if pulumi.runtime.is_dry_run():
            try:
                live = await read(yaml.safe_load(text))
            except LiveAddressesError as error:
                pulumi.log.warn(f"addresses in use were not checked: {error}")
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
