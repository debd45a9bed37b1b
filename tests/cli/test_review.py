"""`multus-site review`: what of it needs no pulumi. tests/engine/test_review.py has the rest."""

import pytest
from typer.testing import CliRunner

from multus_site.__main__ import app
from multus_site.cli.compared_files import catalog_of
from multus_site.model.load import UPSTREAM, load_catalog, parse_site
from tests.engine.applied import dallas


@pytest.mark.parametrize("ref", ["", "HEAD"])
def test_a_site_without_artifacts_has_thecatalog_ofue_of_the_release(ref, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # no checkout, and so no catalogue in it
    found = catalog_of(parse_site(dallas(), source="dallas"), ref)
    assert found.cni_archives
    assert found == load_catalog(UPSTREAM)


K28, K31 = "{version: v2.29.1}", "{version: v2.31.0}"
SITE = """config:
  multus-site:site:
    name: dallas
    kubespray: %s
    nodes:
      backend: existing
      hosts:
        node1: {address: 10.1.1.5, hostKey: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsLZDYYKxYbDv1iZVXhhxx4GZtb0Y6BkZ5Z3Yp6mJqK, roles: [control-plane, etcd, worker]}
    networks:
      signalling: {type: macvlan, master: %s, ipam: {type: whereabouts, range: %s, gateway: 10.20.0.1}}
    workloads:
      probe: {image: docker.io/library/busybox:1.36, command: [tail, -f, /dev/null], networks: [signalling]}
"""


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Writes stack files; nothing but this program is on PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    def write(**texts):
        for name, text in texts.items():
            (tmp_path / f"{name}.yaml").write_text(text)

    return write


def review(*arguments):
    return CliRunner().invoke(app, ["review", *arguments])


def test_two_files_need_no_pulumi(files):
    files(old=SITE % (K31, "ens6", "10.20.0.10-10.20.0.99/24"), new=SITE % (K31, "ens7", "10.20.0.20-10.20.0.110/24"))
    done = review("old.yaml", "new.yaml")
    assert done.exit_code == 0, done.output
    first = done.output.splitlines()[1]
    assert "only two files are compared" in first
    assert "✅" not in done.output
    for words in (
        "as old.yaml declares it",
        "uplink ens6 → ens7",
        "Lost: 10 addresses, 10.20.0.10-10.20.0.19",
        "Gained: 11 addresses, 10.20.0.100-10.20.0.110",
        "probe (Deployment) | 1 recreated",
    ):
        assert words in done.output


def test_two_files_that_are_equal_are_not_called_harmless(files):
    files(old=SITE % (K31, "ens6", "10.20.0.0/24"), new=SITE % (K31, "ens6", "10.20.0.0/24"))
    done = review("old.yaml", "new.yaml")
    assert done.exit_code == 0, done.output
    assert "✅" not in done.output
    assert "What runs is unknown" in done.output


def test_an_upgrade_over_a_minor_release_is_refused_between_files(files):
    files(old=SITE % (K28, "ens6", "10.20.0.0/24"), new=SITE % (K31, "ens6", "10.20.0.0/24"))
    done = review("old.yaml", "new.yaml")
    assert done.exit_code == 1, done.output
    assert "cannot be applied" in done.output
    assert "v2.30.0" in done.output


def test_mistakes_of_either_file_are_named(files):
    files(old=SITE % (K31, "ens6", "10.20.0.0/24"), bad=SITE.replace("type:", "tpye:") % (K31, "ens6", "10.20.0.0/24"))
    before = review("bad.yaml", "old.yaml")
    assert before.exit_code == 2
    assert "bad.yaml:10" in before.output
    after = review("old.yaml", "bad.yaml")
    assert after.exit_code == 1
    assert "did you mean type" in after.output.lower()
    missing = review("old.yaml", "nothing.yaml")
    assert missing.exit_code == 2
    assert "nothing.yaml does not exist" in missing.output
    both = review("old.yaml", "bad.yaml", "--base", "HEAD")
    assert both.exit_code == 2
