"""The report in a real browser: no console error, no request, fits a phone, every part reached by keyboard."""

import functools
import http.server
import json
import re
import shutil
import subprocess
import threading

import pytest

from multus_site.render.report.page import page
from tests.render.report.sample import found, site

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium (apt-get install chromium)")

QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--enable-logging=stderr"),
)

LOOK = """<!doctype html><iframe src="report.html" style="width:{width}px;height:800px;border:0"></iframe><pre id="found"></pre><script>
addEventListener("load", () => {{
  const page = document.querySelector("iframe").contentDocument, root = page.documentElement
  const focusable = [...page.querySelectorAll("a[href],summary,[tabindex='0']")]
    .filter(e => e.tagName == "SUMMARY" || !e.closest("details:not([open])"))
  const reached = focusable.filter(e => {{ e.focus(); return page.activeElement === e }})
  const small = [...page.querySelectorAll("main p, main td, main th, main summary")]
    .filter(e => parseFloat(getComputedStyle(e).fontSize) < 12).length
  document.getElementById("found").textContent = JSON.stringify({{
    width: root.scrollWidth, focusable: focusable.length, reached: reached.length, small,
    requests: page.defaultView.performance.getEntriesByType("resource").map(r => r.name),
    paper: getComputedStyle(page.body).backgroundColor, diagram: page.querySelector("svg.diagram").getBoundingClientRect().width,
    bars: page.querySelectorAll("svg.plot rect.bar").length,
  }})
}})
</script>"""


@pytest.fixture
def served(tmp_path):
    (tmp_path / "report.html").write_text(page("lab", site(), found(broken=True)), encoding="utf-8")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path)
    handler.log_message = lambda *_: None
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield tmp_path, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def chromium(tmp_path, url, *flags):
    done = subprocess.run(
        [CHROMIUM, *QUIET, f"--user-data-dir={tmp_path / 'profile'}", *flags, url],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert [line for line in done.stderr.splitlines() if ":CONSOLE" in line] == []
    return done.stdout


def look(served, width, *flags):
    tmp_path, url = served
    (tmp_path / "look.html").write_text(LOOK.format(width=width), encoding="utf-8")
    dumped = chromium(tmp_path, f"{url}/look.html", "--window-size=1600,1000", "--dump-dom", *flags)
    return json.loads(re.search(r'<pre id="found">(.*?)</pre>', dumped, re.DOTALL)[1])


@pytest.mark.parametrize("width", [360, 1280])
def test_it_fits_a_phone_and_a_desk(served, width):
    seen = look(served, width)
    assert seen["width"] <= width
    assert seen["small"] == 0
    assert seen["bars"] == 3 * 8 + 4
    assert seen["requests"] == []


def test_every_part_is_reached_by_keyboard(served):
    seen = look(served, 1280)
    assert seen["reached"] == seen["focusable"] > 15


def test_it_follows_the_reader_s_theme(served):
    light = look(served, 1280)
    dark = look(served, 1280, "--blink-settings=preferredColorScheme=0")
    assert light["paper"] == "rgb(255, 255, 255)"
    assert dark["paper"] == "rgb(17, 22, 29)"


def test_it_can_be_printed(served):
    tmp_path, url = served
    chromium(tmp_path, f"{url}/report.html", f"--print-to-pdf={tmp_path / 'report.pdf'}")
    printed = (tmp_path / "report.pdf").read_bytes()
    assert printed.startswith(b"%PDF")
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 8
