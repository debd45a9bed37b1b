"""The page that lints: built, opened as a file in Chromium, and compared with what `multus-site lint` finds."""

import html
import re
import shutil
import subprocess

import pytest

from docs.playground import build
from multus_site.lint.files import Linter

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
BROKEN = '{"cniVersion": "1.0.0", "name": "n", "type": "macvlan", "master": "eth1", "mode": "</script><b>"}'


def found(text):
    linter = Linter()
    linter.add(text, "input")
    return [(finding.level, finding.line, finding.rule, finding.message) for finding in linter.findings()]


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("playground")
    try:
        return build.build(folder)
    except build.PlaygroundError as error:
        pytest.skip(str(error))


def opened(page, text):
    """What the page shows for a text: [(level, line, rule, message)], or its status if it lists nothing."""
    if CHROMIUM is None:
        pytest.skip("there is no chromium (apt-get install chromium)")
    only = page.with_name("only.html")
    source = page.read_text()
    start = source.index("const EXAMPLES = ")
    shown = build.in_script({"only": text})
    only.write_text(f"{source[:start]}const EXAMPLES = {shown};{source[source.index(chr(10), start) :]}")
    done = subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--enable-logging=stderr",
         f"--user-data-dir={page.parent / 'profile'}", "--virtual-time-budget=600000", "--dump-dom", only.as_uri()],
        capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    assert [line for line in done.stderr.splitlines() if ":CONSOLE" in line] == []
    assert 'data-ready="yes"' in done.stdout, done.stdout[-2000:]
    item = re.compile(
        r'<li class="(\w+)"><p>.*?>line (\d+)<.*?<code>(\w+)</code></p><p>(?:<code>.*?</code>: )?(.*?)</p>', re.DOTALL
    )
    items = [(a, int(b), c, html.unescape(d)) for a, b, c, d in item.findall(done.stdout)]
    return items or re.search(r'id="status"[^>]*>(.*?)<', done.stdout)[1]


@pytest.mark.parametrize("name", [*build.EXAMPLES.values(), None])
def test_the_page_finds_what_the_command_finds(name, page):
    text = (build.HERE / name).read_text() if name else BROKEN
    expected = found(text)
    assert expected
    assert opened(page, text) == expected


def test_the_page_finds_nothing_where_there_is_nothing(page):
    right = (build.HERE / "network-and-pod.yaml").read_text()
    for wrong, corrected in (
        ("bridged", "bridge"),
        ("10.1.11.200", "10.1.10.200"),
        ("net-signalling-internal", "net1"),
    ):
        assert wrong in right
        right = right.replace(wrong, corrected)
    assert found(right) == []
    assert opened(page, right) == "Nothing found."


def test_a_changed_archive_is_refused(tmp_path, monkeypatch):
    if shutil.which("npm") is None:
        pytest.skip("there is no npm (apt-get install npm)")
    monkeypatch.setattr(build, "PYODIDE_SHA256", "0" * 64)
    with pytest.raises(build.PlaygroundError, match="its sha256 is") as raised:
        build.build(tmp_path / "page")
    assert build.PYODIDE in str(raised.value)
    assert not (tmp_path / "page").exists()
