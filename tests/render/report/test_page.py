"""The report's contents: everything that was found, nothing from elsewhere, and no markup that came with the data."""

import re
from html.parser import HTMLParser

import pytest

from multus_site.model.site import Site
from multus_site.render.report.content import Found, addresses, matrices
from multus_site.render.report.page import page
from tests.render.diagram.sites import hosts, large
from tests.render.report.sample import POD, found, site


class Read(HTMLParser):
    """What a reader of the document meets: tags, ids, headings, text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.ids, self.text, self.headings = [], [], "", []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.tags.append((tag, values))
        self.ids += [values["id"]] if "id" in values else []
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def whole():
    return Read(page("lab", site(), found()))


def test_everything_that_was_found_is_there(whole):
    for part in (
        "37 of 37",
        POD,
        "gateway-arp",
        "TCP, 4 streams",
        "UDP, 1 stream",
        "12.40 (0.94, 0.87–1.02)",
        "0.92–0.94",
        "10.1.10.200–250",
        "1 of 51",
        "containerd://2.2.3",
        "sha256:" + "a" * 64,
        "sha256:" + "c" * 64,
        "v2.31.0",
        "took 118 s",
        "lab-kubernetes-kubespray (79.8 s)",
        "10.1.10.200/24",
    ):
        assert part in whole.text, part
    assert "failed" not in {a.get("class") for _, a in whole.tags}


def test_failures_stand_first_with_their_evidence():
    text = page("lab", site(), found(broken=True))
    read = Read(text)
    assert "35 of 37" in read.text
    assert "2 failed." in read.text
    assert read.text.index("gateway-ping") < read.text.index("Interfaces of pods")
    assert "2026-11-24 [error] <b>no</b> device" in read.text
    assert sum(tag == "td" and a.get("class") == "failed" for tag, a in read.tags) == 2


def test_nothing_that_came_with_the_data_is_markup():
    text = page("lab", site(), found(broken=True))
    assert "<script" not in text
    assert "<b>no</b>" not in text


def test_nothing_is_asked_from_elsewhere(whole):
    wanted = [
        v
        for tag, a in whole.tags
        for k, v in a.items()
        if k in {"src", "href", "srcset", "data", "action"} and tag != "use"
    ]
    assert all(v.startswith(("#", "data:")) for v in wanted)
    policy = next(a["content"] for tag, a in whole.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")


def test_a_reader_that_cannot_see_finds_a_way(whole):
    assert ("html", {"lang": "en"}) in whole.tags
    assert whole.headings[0] == 1
    assert all(after - before <= 1 for before, after in zip(whole.headings, whole.headings[1:], strict=False))
    assert len(whole.ids) == len(set(whole.ids))
    for tag, a in whole.tags:
        if tag == "th":
            assert a.get("scope") in {"row", "col"}
        if tag == "svg":
            assert a.get("role") == "img"
            assert a.get("aria-label") or a.get("aria-labelledby")
        if a.get("role") == "region":
            assert a.get("tabindex") == "0"
            assert a.get("aria-label") or a.get("aria-labelledby")
        for target in (a.get("href", "") if a.get("href", "").startswith("#") else "").split("#")[1:]:
            assert target in whole.ids


def test_a_site_that_was_never_verified_has_a_report_too():
    bare = Site.model_validate({"name": "bare", "nodes": {"backend": "existing", "hosts": hosts(1, racks=0)}})
    text = Read(page("bare", bare, Found())).text
    assert "Not verified yet" in text
    assert "multus-site verify bare" in text
    assert "No network of the site assigns addresses" in text
    assert "Gbit/s" not in text


def test_a_node_that_the_cluster_does_not_know_is_in_the_report_too():
    whole = found(broken=True)
    whole.verification["nodes"][2].update({"versions": {}, "images": {}, "binaries": {}, "uplinks": []})
    assert "Digests on node3" in Read(page("lab", site(), whole)).text


def test_a_check_of_several_things_fails_if_one_does():
    checks = found().verification["checks"]
    nodes = [c for c in checks if c["check"] == "uplink" and c["node"] == "node1"]
    broken = [{**nodes[0], "ok": False, "detail": "down"}, nodes[1]]
    for order in (broken, broken[::-1]):
        (matrix,) = matrices(order)
        (cell,) = matrix.lines[0].cells
        assert cell.state == "failed"
        assert cell.detail == "ens6 down"


def test_the_address_plan_counts_who_holds_what():
    internal, external = addresses(site(), found().verification)
    assert (internal.network, internal.size, internal.holders) == ("macvlan-internal", 51, (("10.1.10.200", POD),))
    assert external.percent == 2.0
    assert [use.network for use in addresses(large(), {})] == ["sig-a", "sig-b", "media", "oam", "lan"]
