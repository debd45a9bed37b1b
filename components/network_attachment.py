"""NetworkAttachment: a NetworkAttachmentDefinition whose configuration was rendered from typed data."""

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from multus_site.model.site import Site
from multus_site.render.attachment import content_of, manifest_of, masters_of, ranges_of

from .cluster_objects import Api


@dataclass(frozen=True)
class NetworkAttachmentArgs:
    """One network of a site."""

    network_name: str
    site: Site
    api: Api


class NetworkAttachment(pulumi.ComponentResource):
    """One network of a site.

    After `up` a NetworkAttachmentDefinition with the network's name exists. Destroy removes it, after the pods that use it.
    `content` is its configuration; pods restart when it changes.
    """

    def __init__(self, name: str, args: NetworkAttachmentArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        network = args.site.networks[args.network_name]
        shown: dict[str, Any] = {"type": network.type}
        if args.site.differs_by_node(network):
            # Its configurations are files on the nodes; policies and reviewers see this instead of the manifest.
            shown |= {
                "masters": masters_of(args.site, args.network_name),
                "ranges": ranges_of(args.site, args.network_name),
            }
        super().__init__("multus-site:index:NetworkAttachment", name, shown, opts)
        manifest = manifest_of(args.site, args.network_name)
        self.definition = kubernetes.apiextensions.CustomResource(
            name,
            api_version=manifest["apiVersion"],
            kind=manifest["kind"],
            # A field that somebody edited by hand has another owner; patchForce restores it anyway.
            metadata={
                **manifest["metadata"],
                "annotations": {**manifest["metadata"].get("annotations", {}), "pulumi.com/patchForce": "true"},
            },
            spec=manifest["spec"],
            opts=args.api.opts(self),
        )
        self.content: str = content_of(args.site, args.network_name)
        self.register_outputs({"config": self.content})
