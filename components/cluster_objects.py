"""How the site's Kubernetes objects are created: by one API server, under one field manager, and deleted with the machines."""

from dataclasses import dataclass
from typing import Any, cast

import pulumi
import pulumi_kubernetes as kubernetes

from multus_site.render.daemon import rights

ANNOTATION = "pulumi.com/patchFieldManager"


def field_manager(site: str) -> str:
    """The server-side apply manager of a site's objects."""
    return f"multus-site-{site}"


@dataclass(frozen=True)
class Api:
    """The API server of a site's cluster."""

    site: str
    provider: pulumi.ProviderResource
    goes_with: pulumi.Resource | None
    """The machine that the cluster ends with, if we create it. Where that is destroyed too, objects are not deleted one by one: the API server may be gone."""

    def opts(self, parent: pulumi.Resource, **more: Any) -> pulumi.ResourceOptions:  # noqa: ANN401 - any option
        """The options of an object, or of what the objects of a component share."""
        return pulumi.ResourceOptions(
            parent=parent,
            provider=self.provider,
            deleted_with=self.goes_with,
            transformations=[self._own],
            **more,
        )

    def _own(self, args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult:
        """Gives an object the site's field manager.

        The provider applies where a create finds the object already: a run that was killed after the API server had created an
        object, and before Pulumi had recorded it, would otherwise make every later run fail with "already exists". With a
        manager that the provider generates for each attempt, fields of the first attempt would stay forever; with one name
        the second attempt repeats the first, and an object of somebody else that differs is a conflict.
        """
        metadata = cast("dict[str, Any]", args.props["metadata"])
        annotations = {**(metadata.get("annotations") or {}), ANNOTATION: field_manager(self.site)}
        props = {**args.props, "metadata": {**metadata, "annotations": annotations}}
        return pulumi.ResourceTransformationResult(props, args.opts)


def access(
    name: str, account: str, rules: list[dict[str, Any]], parent: pulumi.Resource, api: Api
) -> list[pulumi.Resource]:
    """The service account of something that runs in the cluster, its cluster role with these rules, and the binding."""
    account_body, role_body, binding_body = rights(account, rules)
    made: list[pulumi.Resource] = [
        kubernetes.core.v1.ServiceAccount(name, **account_body, opts=api.opts(parent)),
        kubernetes.rbac.v1.ClusterRole(name, **role_body, opts=api.opts(parent)),
    ]
    bound = kubernetes.rbac.v1.ClusterRoleBinding(name, **binding_body, opts=api.opts(parent, depends_on=list(made)))
    return [*made, bound]


def metadata_field(resource: Any, key: str) -> pulumi.Output[str]:  # noqa: ANN401  # every kind has its own class
    """A field that the API server writes into an object's metadata, such as uid or generation, as text.

    The preview of a change knows it only where the API server can be reached; otherwise it differs from every earlier value, so
    that what depends on it is shown to run again.
    """
    return pulumi.Output.from_input(resource.metadata).apply(lambda metadata: str(metadata.get(key, "not known yet")))
