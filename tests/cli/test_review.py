"""`multus-site review`: what of it needs no pulumi. tests/engine/test_review.py has the rest."""

import pytest

from multus_site.cli.review import _catalog
from multus_site.model.load import UPSTREAM, load_catalog, parse_site
from tests.engine.applied import dallas


@pytest.mark.parametrize("ref", ["", "HEAD"])
def test_a_site_without_artifacts_has_the_catalogue_of_the_release(ref, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # no checkout, and so no catalogue in it
    found = _catalog(parse_site(dallas(), source="dallas"), ref)
    assert found.cni_archives
    assert found == load_catalog(UPSTREAM)
