"""Before and after in one picture: what differs carries a word, what stays carries none."""

from xml.etree import ElementTree

from multus_site.model.load import parse_site
from multus_site.render.diagram.cards import diagram
from multus_site.render.diagram.what_if import what_if
from tests.graph.recording import ED25519

SVG = "{http://www.w3.org/2000/svg}"
RANGE = {"type": "whereabouts", "range": "10.20.0.10-10.20.0.99/24"}


def picture(**networks):
    host = {"address": "10.1.1.5", "hostKey": ED25519, "roles": ["control-plane", "etcd", "worker"]}
    site = {"name": "x", "nodes": {"backend": "existing", "hosts": {"node1": host}}, "networks": networks}
    return diagram(parse_site(site, source="x"))


def network(master="ens6", **ipam):
    return {"type": "macvlan", "master": master, "ipam": {**RANGE, **ipam}}


def marks(before, after):
    """For each of the two pictures: title of a card → its last word."""
    root = ElementTree.fromstring(what_if(before, after, "light"))  # noqa: S314  # our own
    halves = []
    for half in root.findall(f"{SVG}svg"):
        found = {}
        for card in half.iter(f"{SVG}g"):
            texts = [text.text or "" for text in card.findall(f"{SVG}text")]
            if len(texts) > 1 and " · " in texts[1]:
                found[texts[0]] = texts[1].rpartition(" · ")[2]
        halves.append({key: word for key, word in found.items() if word in {"removed", "changes", "changed", "new"}})
    return halves


def test_equal_sites_carry_no_word():
    assert marks(picture(a=network()), picture(a=network())) == [{}, {}]


def test_a_network_that_is_added_or_removed():
    one, two = picture(a=network()), picture(a=network(), b=network("ens7", range="10.21.0.0/24"))
    before, after = marks(one, two)
    assert "a" not in {**before, **after}
    assert after["b"] == after["behind ens7"] == "new"
    before, after = marks(two, one)
    assert before["b"] == before["behind ens7"] == "removed"


def test_a_network_whose_addresses_or_segment_change():
    before, after = marks(picture(a=network()), picture(a=network(range="10.20.0.10-10.20.0.150/24")))
    assert (before["a"], after["a"]) == ("changes", "changed")
    before, after = marks(picture(a=network()), picture(a=network("ens7")))
    assert (before["a"], after["a"]) == ("changes", "changed")
    assert (before["behind ens6"], after["behind ens7"]) == ("removed", "new")


def test_the_whole_is_one_picture_with_unique_ids():
    root = ElementTree.fromstring(what_if(picture(a=network()), picture(a=network("ens7"))))  # noqa: S314  # our own
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids)) == 4
    first, second = root.findall(f"{SVG}svg")
    assert float(second.get("y")) == float(first.get("height"))
    assert float(root.get("height")) == float(first.get("height")) + float(second.get("height"))
