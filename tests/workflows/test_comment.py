"""`multus-site comment`: one comment, edited, on either service."""

import pytest
from typer.testing import CliRunner

from multus_site.__main__ import app
from multus_site.cli import hosting as module

MARK = "<!-- multus-site review -->\n"


@pytest.fixture(params=["github", "gitlab"])
def call(request, hosting, monkeypatch, tmp_path):
    """Comments a text as a pipeline of the service does."""
    github = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_REF": "refs/pull/12/merge",
        "GITHUB_API_URL": hosting.url,
        "GITHUB_REPOSITORY": "o/r",
        "GITHUB_TOKEN": "the-token",
    }
    gitlab = {
        "GITLAB_CI": "true",
        "CI_MERGE_REQUEST_IID": "12",
        "CI_API_V4_URL": hosting.url,
        "CI_PROJECT_ID": "3",
        "GITLAB_TOKEN": "the-token",
    }
    for name in {**github, **gitlab}:
        monkeypatch.delenv(name, raising=False)

    def run(text, **changes):
        for name, value in {**(github if request.param == "github" else gitlab), **changes}.items():
            monkeypatch.setenv(name, value)
        (tmp_path / "review.md").write_text(text)
        return CliRunner().invoke(app, ["comment", str(tmp_path / "review.md")])

    run.service = request.param
    return run  # fmt: skip


def test_the_second_run_edits_the_comment_of_the_first(call, hosting):
    assert call("one").output == "commented\n"
    assert call("two").output == "comment edited\n"
    assert call("two").output == "the comment is as it was\n"
    assert [comment["body"] for comment in hosting.comments] == [f"{MARK}two"]
    place = "/issues/12/comments" if call.service == "github" else "/projects/3/merge_requests/12/notes"
    assert all(place in path for method, path in hosting.requests if method == "POST")


def test_nothing_to_say_makes_no_comment_and_ends_one_that_is_there(call, hosting):
    assert call("\n").output == "nothing to say\n"
    assert hosting.comments == []
    call("one")
    call("")
    assert [comment["body"] for comment in hosting.comments] == [f"{MARK}This no longer changes any site."]


def test_ours_is_found_behind_a_hundred_others_and_nobody_elses_is_touched(call, hosting):
    people = {"user": {"type": "User"}, "author": {"id": 8}}
    hosting.comments += [{"id": 1000 + i, "body": f"{MARK}mine", **people} for i in range(250)]
    call("one")
    hosting.comments.append({"id": 2000, "body": "thanks", **people})
    call("two")
    assert [c["body"] for c in hosting.comments if c["body"].startswith(MARK) and not c["body"].endswith("mine")] == [f"{MARK}two"]  # fmt: skip


def test_a_token_without_the_right_is_said_and_not_shown(call):
    name = "GITHUB_TOKEN" if call.service == "github" else "GITLAB_TOKEN"
    result = call("one", **{name: "wrong-secret"})
    assert result.exit_code == 1
    assert "401" in result.stderr
    assert "needs write access to pull requests" in result.stderr
    assert "wrong-secret" not in result.output


def test_a_service_that_does_not_answer_is_said(call):
    name = "GITHUB_API_URL" if call.service == "github" else "CI_API_V4_URL"
    result = call("one", **{name: "http://127.0.0.1:9"})
    assert result.exit_code == 1
    assert "127.0.0.1:9" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    "changes", [{"GITHUB_REF": "refs/heads/main", "CI_MERGE_REQUEST_IID": ""}, {"GITHUB_TOKEN": "", "GITLAB_TOKEN": ""}]
)
def test_outside_of_a_pull_request_it_says_what_is_missing(call, changes):
    result = call("one", **changes)
    assert result.exit_code == 2
    assert any(name in result.stderr for name in changes)


def test_on_a_terminal_it_is_a_usage_error(monkeypatch):
    for name in ("GITHUB_ACTIONS", "GITLAB_CI"):
        monkeypatch.delenv(name, raising=False)
    result = CliRunner().invoke(app, ["comment", "-"], input="x")
    assert result.exit_code == 2
    assert "not a pipeline" in result.stderr


def test_a_text_that_is_too_long_ends_at_a_line_and_outside_of_code():
    text = "".join(f"line {i}\n" for i in range(50)) + "```mermaid\n" + "a --> b\n" * 100 + "```\nthe end\n"
    for longest in range(150, len(text), 37):
        cut = module.shortened(text, longest)
        assert len(cut) <= longest
        assert cut.count("```") % 2 == 0
        assert cut.endswith("log of the pipeline._\n")
    assert module.shortened(text, len(text)) == text


def review_of(site, rows, diagram=0):
    """A review as multus_site/review/markdown.py writes one."""
    table = "".join(f"| {site} row {i} |\n" for i in range(rows))
    drawn = (
        f"<details><summary>Diagram</summary>\n\n```mermaid\n{'a --> b' * diagram}\n```\n\n</details>\n"
        if diagram
        else ""
    )
    return f"<!-- multus-site review of {site} -->\n## ⛔ {site}: 1 dangerous change\n\n- ⛔ {site} loses addresses\n\n{table}{drawn}"


def test_of_many_sites_none_loses_what_is_dangerous():
    few = review_of("austin", 10, diagram=9000) + review_of("dallas", 10, diagram=9000)
    assert len(few) > 65_536
    cut = module.shortened(few, 65_536)
    assert "mermaid" not in cut
    assert "austin row 9 |" in cut
    assert "dallas row 9 |" in cut
    many = "".join(review_of(f"site{i}", 50 if i % 2 else 2000, diagram=100) for i in range(20))
    cut = module.shortened(many, 65_536)
    assert len(cut) <= 65_536
    for i in range(20):
        assert f"⛔ site{i} loses addresses" in cut
        assert (f"site{i} row 49 |" in cut) or i % 2 == 0
    assert cut.endswith("log of the pipeline._\n")
