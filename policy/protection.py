"""Sites that must not be destroyed by mistake."""

from collections.abc import Iterator, Sequence

from .resources import Policy, Resource, Settings

SITE = "multus-site:index:Site"
CLUSTER = "multus-site:index:KubesprayCluster"


def unprotected(resources: Sequence[Resource], settings: Settings) -> Iterator[tuple[Resource | None, str]]:
    """Clusters of protected sites whose destruction Pulumi would not refuse."""
    sites = {resource.name for resource in resources if resource.type == SITE}
    for site in sorted(sites & set(settings["sites"])):
        for resource in resources:
            if resource.type == CLUSTER and resource.name == f"{site}-kubernetes" and not resource.protect:
                yield (
                    resource,
                    f"{site} is a protected site, and its cluster has no protection; write protect: true into the site",
                )


SITES_PROTECTED = Policy(
    "sites-protected",
    "Clusters of the named sites have `protect: true`.",
    of_all=unprotected,
    settings={
        "sites": {
            "type": "array",
            "items": {"type": "string"},
            "default": [],
            "description": "Names of the sites.",
        }
    },
)
