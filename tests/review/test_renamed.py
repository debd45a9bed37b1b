"""Stacks that were never applied, and whose site another stack file has."""

import pytest

from multus_site.model.load import parse_site
from multus_site.review.renamed import dangers, successor
from tests.engine.applied import dallas
from tests.graph.recording import ED25519


def site(name, first=5, key=ED25519):
    data = dallas()
    data["name"] = name
    for i, host in enumerate(data["nodes"]["hosts"].values()):
        host.update(address=f"192.0.2.{first + i}", hostKey=key)
    return parse_site(data, source="a test")


OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJh1zR8a0xVZ4S3wzlbGmPzYdJYaTzv4bN9kX1yqk1aB"
NEW = site("austin")


@pytest.mark.parametrize(
    ("other", "if_gone", "if_there"),
    [
        (site("austin", 50), "its name austin is that of", "its name austin is that of"),
        (site("dallas"), "its hosts node1, node2, node3 are those of", "its hosts node1, node2, node3 are those of"),
        (site("dallas", 7), "its host node3 is that of", "its host node3 is that of"),
        # The same private addresses are at many a site: behind which machines are others.
        (site("dallas", key=OTHER_KEY), "its hosts node1, node2, node3 are those of", ""),
        (site("dallas", 50), "", ""),
    ],
)
def test_what_another_file_has(other, if_gone, if_there):
    there = {"stacks/Pulumi.dallas.yaml": other}
    for told, words in ((dangers("austin", NEW, there, {}), if_gone), (dangers("austin", NEW, {}, there), if_there)):
        text = " ".join(saying.text for saying in told)
        assert words in text
        assert bool(words) == ("pulumi stack rename austin --stack dallas" in text)
    assert successor(other, {"stacks/Pulumi.austin.yaml": NEW}) == ("austin" if if_gone else "")
