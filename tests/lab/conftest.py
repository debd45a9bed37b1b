"""What tests of the lab share beyond the lab itself: every network of tests/lab/networks.site.yaml, made once for all of them."""

import shutil

import pytest

from lab import dhcp
from multus_site.cli.init import contents
from tests.engine.wheel import install
from tests.lab.networks import NODES, furnish, in_cluster, on_node, stack_file
from tests.lab.running import PROJECT


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


@pytest.fixture(scope="session")
def repository(lab, tmp_path_factory):  # noqa: ARG001  # the stack file names files that the lab makes
    """A user's repository that has the lab's stack file."""
    folder = tmp_path_factory.mktemp("repository")
    for name, content in contents():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    (folder / "stacks" / "defaults.yaml").unlink()  # the checkout has none
    shutil.copy(PROJECT / "stacks" / "Pulumi.lab.yaml", folder / "stacks")
    for name in (".lab", ".work", "lab"):  # paths in the lab's site, and the record of Kubespray's runs
        (folder / name).symlink_to(PROJECT / name)
    install(folder / ".venv")
    return folder
