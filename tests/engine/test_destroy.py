"""The end of a site that cannot be reached: no API server, no SSH, no network at all."""

import json
import shutil

import pytest

from tests.engine.applied import Place, applied, dallas
from tests.graph.recording import lab_site

pytestmark = pytest.mark.engine


def resources(place):
    state = json.loads(place.must("pulumi", "stack", "export", "--stack", place.stack))
    return state["deployment"].get("resources") or []


def destroy(place, **options):
    return place.run(
        "pulumi", "destroy", "--stack", place.stack, "--yes", "--skip-preview", "--non-interactive", **options
    )


def of_containers():
    """dallas on machines that we make."""
    site = dallas()
    nodes = lab_site()["nodes"]
    hosts = {
        name: {key: host[key] for key in ("address", "roles") if key in host}
        for name, host in site["nodes"]["hosts"].items()
    }
    return {**site, "nodes": {**nodes, "hosts": hosts}}


@pytest.mark.skipif(shutil.which("podman") is None, reason="needs podman, which removes what is not there")
def test_a_site_whose_machines_are_all_gone_is_destroyed(tmp_path):
    place = Place(tmp_path / "place")
    place.write(of_containers(), **{"multus-site:hostKeySeed": "0123456789abcdef0123456789abcdef"})
    place = applied(tmp_path / "place", of_containers())
    assert [r for r in resources(place) if r["type"].startswith("kubernetes:")]
    done = destroy(place, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert resources(place) == []


def test_a_site_of_hosts_that_exist_is_forgotten_and_its_file_stays(place):
    """Destroying it would have to reach them."""
    done = place.run("pulumi", "stack", "rm", place.stack, "--yes", "--preserve-config", "--non-interactive")
    assert done.returncode != 0
    assert "still has resources" in done.stderr
    place.must("pulumi", "stack", "rm", place.stack, "--yes", "--force", "--preserve-config", "--non-interactive")
    assert json.loads(place.must("pulumi", "stack", "ls", "--json")) == []
    assert "multus-site:site" in place.file.read_text()
