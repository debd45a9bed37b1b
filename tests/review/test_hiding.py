"""The last door: secrets do not pass it, whatever part of a review they are in."""

import json
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multus_site.review.data import Binaries, Difference, Effect, Network, Playbook, Pods, Review
from multus_site.review.markdown import markdown
from multus_site.review.redaction import Hiding

SECRET = "hunter22-x7Qz"  # noqa: S105 # planted


def everywhere(text):
    """A review with a text wherever one can stand."""
    moved, effect = (Difference(text, text, text),), (Effect("danger", text, text),)
    network = Network("lan", "changed", "danger", moved, moved, (text,), (text,), 1, 1, moved, (text,), True, text)
    finding = {
        "file": text,
        "level": "error",
        "line": 1,
        "rule": "SITE_MODEL",
        "path": text,
        "message": text,
        "hint": text,
    }
    return Review(
        stack="dallas",
        site="dallas",
        base=text,
        stateless="files",
        counts={"update": 1},
        dangers=effect,
        interruption=effect,
        playbooks=(Playbook("scale.yml", (text,), (text,), text),),
        nodes=effect,
        binaries=(Binaries((text,), moved, text),),
        networks=(network,),
        pods=(Pods(text, "Deployment", "restart", "care", 1, text, text),),
        destroyed=effect,
        settings=moved,
        versions=moved,
        also=(text,),
        notes=(text,),
        warnings=(text,),
        errors=(text,),
        findings=(finding,),
        diagram_before=text,
        diagram_after=text,
    )


def test_everywhere_is_everywhere():
    """A field that a review gets later has to be planted too."""
    empty = {f.name for f in fields(Review) if not getattr(everywhere("x"), f.name)}
    assert empty == set()


@pytest.mark.parametrize(
    "text",
    [
        f"https://user:{SECRET}@example.org/a",
        f"https://{SECRET}@example.org/a",
        f"see https://example.org/a?token={SECRET}&b=1 there",
        f"--password={SECRET}",
        f"API_KEY: {SECRET}",
        f"x token='{SECRET}'",
        f"-----BEGIN OPENSSH PRIVATE KEY-----\n{SECRET}\n-----END OPENSSH PRIVATE KEY-----",
    ],
)
def test_secrets_by_their_form(text):
    shown = Hiding([]).review(everywhere(text))
    for form in (markdown(shown), json.dumps(shown.as_json())):
        assert SECRET not in form
        assert "[secret]" in form.replace("\\[", "[").replace("\\]", "]")


@pytest.mark.parametrize(
    "known", [{"stacks": [{"config": {"registry_password": SECRET}}]}, {"stacks": [], "secrets": [SECRET]}]
)
def test_secrets_by_their_place(known):
    shown = Hiding(**known).review(everywhere(f"it was {SECRET}, and now is not"))
    for form in (markdown(shown), json.dumps(shown.as_json())):
        assert SECRET not in form
        assert "and now is not" in form


def test_what_is_no_secret_stays():
    text = "network lan: 10.1.10.1-10.1.10.9 of http://10.1.1.1:8080/a, image docker.io/library/busybox:1.36"
    assert Hiding([{"config": {"name": "lan"}}]).review(everywhere(text)) == everywhere(text)


@given(st.text(max_size=40))
def test_no_text_breaks_out_of_its_cell(text):
    """A name or message is a text and no markup: as many lines, cells and links as with any other."""
    plain, odd = (markdown(everywhere(given)).partition("<details>")[0] for given in ("x", text))
    if text.strip():
        assert odd.count("\n") == plain.count("\n")
    for line, other in zip(plain.splitlines(), odd.splitlines(), strict=False):
        if line.startswith("|") and text.strip():
            assert other.count("|") == line.count("|")
    assert "<script" not in markdown(everywhere("<script>")).partition("<details>")[0]
