"""The images that a site pulls: a mirror has to have them."""

from multus_site.model.load import parse_site
from multus_site.render import images
from tests.graph.recording import lab_site

BUSYBOX = "docker.io/library/busybox:1.36"
PYTHON = "docker.io/library/python:3.13-alpine"


def found(**changes):
    return images.images(parse_site(lab_site(workloads={}, **changes), source="x"))


def test_the_repair_of_interfaces_has_its_image_if_the_site_asks_for_it():
    assert PYTHON not in found()
    assert found(interfaceRepair={})[PYTHON] == "the interface repair"
    assert "registry.example.net/python:3.12" in found(interfaceRepair={"image": "registry.example.net/python:3.12"})


def test_the_shell_is_there_for_those_who_need_it():
    assert BUSYBOX not in found()
    lease = {"type": "macvlan", "master": "ens6", "ipam": {"type": "dhcp"}}
    assert found(networks={"lease": lease})[BUSYBOX] == "the DHCP daemon"
    site = lab_site()
    routed = {**site["workloads"]["samplepod"], "image": "docker.io/library/nginx:1.27"}
    routed["networks"] = ["macvlan-internal", {"name": "macvlan-external", "defaultRoute": ["10.1.20.1"]}]
    asked = parse_site(lab_site(workloads={"samplepod": routed}), source="x")
    assert images.images(asked)[BUSYBOX] == "routes of pods"
