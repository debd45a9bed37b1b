"""Stacks that were never applied and have the site of another stack file."""

import pytest

from multus_site.model.load import parse_site
from multus_site.review.stack_files import duplicates, successor
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
    ("other", "if_gone", "if_present"),
    [
        (site("austin", 50), "has the name austin of", "has the name austin of"),
        (site("dallas"), "has the hosts node1, node2, node3 of", "has the hosts node1, node2, node3 of"),
        (site("dallas", 7), "has the host node3 of", "has the host node3 of"),
        # Many sites use the same private addresses for different machines.
        (site("dallas", key=OTHER_KEY), "has the hosts node1, node2, node3 of", ""),
        (site("dallas", 50), "", ""),
    ],
)
def test_duplicates_of_another_file(other, if_gone, if_present):
    others = {"stacks/Pulumi.dallas.yaml": other}
    for found, words in (
        (duplicates("austin", NEW, others, {}), if_gone),
        (duplicates("austin", NEW, {}, others), if_present),
    ):
        text = " ".join(effect.text for effect in found)
        assert words in text
        assert bool(words) == ("pulumi stack rename austin --stack dallas" in text)
    assert successor(other, {"stacks/Pulumi.austin.yaml": NEW}) == ("austin" if if_gone else "")
