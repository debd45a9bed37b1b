"""Whose the objects in the cluster are: one field manager a site, so that a create can be tried again."""

from collections.abc import Callable
from typing import Any, cast

import pulumi

ANNOTATION = "pulumi.com/patchFieldManager"


def field_manager(site: str) -> str:
    """The server-side apply manager of a site's objects."""
    return f"multus-site-{site}"


def owned_by(
    site: str, goes_with: Callable[[], pulumi.Resource | None]
) -> Callable[[pulumi.ResourceTransformationArgs], pulumi.ResourceTransformationResult | None]:
    """A transformation that makes every Kubernetes object the site's own.

    `goes_with`: the machine that the cluster ends with, if we make it. Where that is destroyed too, objects are not asked for one by
    one: there may be no API server to ask any more.

    The provider is told to apply where a create finds the object there already: a run that was killed after the API server
    had made an object, and before Pulumi had written it down, would else end every later run with "already exists". With a
    manager of the provider's own making for each attempt, fields of the first attempt would stay for ever; with one name
    the second attempt is the first again, and an object of somebody else's that differs is a conflict, not a prey.
    """

    def transform(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        if not args.type_.startswith("kubernetes:"):
            return None
        metadata = cast("dict[str, Any]", args.props["metadata"])
        annotations = {**(metadata.get("annotations") or {}), ANNOTATION: field_manager(site)}
        opts = pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(deleted_with=goes_with()))
        return pulumi.ResourceTransformationResult(
            {**args.props, "metadata": {**metadata, "annotations": annotations}}, opts
        )

    return transform
