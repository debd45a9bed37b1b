"""A comment has an end, whatever the size of the site."""

import copy
from dataclasses import replace

from multus_site.model.load import parse_site
from multus_site.review.compose import compose
from multus_site.review.data import Effect
from multus_site.review.effects import Change
from multus_site.review.markdown import LONGEST, markdown, marker
from multus_site.review.preview import Preview
from tests.bench.preview import site


def test_a_large_site_fits():
    old, new = (parse_site(site(nodes), source="a test") for nodes in (299, 300))
    text = markdown(compose("dallas", "as it was", Change(old, new), Preview()))
    assert len(text) <= LONGEST
    assert text.startswith(marker("dallas"))
    assert "node300" in text


def test_diagrams_go_first_then_the_end():
    data = site(3)
    data["workloads"] = {
        f"w-{i}": {"image": "docker.io/library/busybox:1.36", "networks": ["net-1"]} for i in range(1200)
    }
    old, new = parse_site(site(3), source="a test"), parse_site(data, source="a test")
    found = compose("dallas", "as it was", Change(old, new), Preview())
    small = replace(found, versions=found.versions[:20])
    assert "```mermaid" not in markdown(small)
    assert "too large for a comment" in markdown(small)
    text = markdown(found)
    assert len(text) < LONGEST + 300
    assert "Cut here" in text


def test_many_nodes_are_counted_not_listed():
    data = copy.deepcopy(site(40))
    for i in range(31, 41):
        del data["nodes"]["hosts"][f"node{i}"]
    old, new = (parse_site(one, source="a test") for one in (site(40), data))
    found = compose("dallas", "as it was", Change(old, new), Preview())
    assert sum(isinstance(effect, Effect) and effect.level == "danger" for effect in found.nodes) == 10
