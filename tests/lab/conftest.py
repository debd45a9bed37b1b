"""What tests of the lab share beyond the lab itself: every network of tests/lab/networks.site.yaml, made once for all of them."""

import pytest

from lab import dhcp
from tests.lab.networks import NODES, furnish, in_cluster, on_node, stack_file


@pytest.fixture(scope="session")
def there_before(lab):
    """What was on each node, and in the cluster, before the further networks."""
    furnish(lab)
    return {**{node: on_node(lab, node) for node in NODES}, "cluster": in_cluster(lab)}


@pytest.fixture(scope="session")
def networks(lab, there_before, tmp_path_factory):  # noqa: ARG001  # looked at before anything is made
    """The lab's stack with the further networks; the plain one again afterwards."""
    folder = tmp_path_factory.mktemp("networks")
    with dhcp.server(lab.place, folder):
        try:
            file = str(stack_file(folder / "Pulumi.lab.yaml"))
            lab.pulumi("up", "--yes", "--skip-preview", "--config-file", file, seconds=900)
            yield lab
        finally:
            lab.pulumi("up", "--yes", "--skip-preview", seconds=900)
