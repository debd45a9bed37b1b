"""Official files: every byte as pinned, or not at all."""

import hashlib
from http.server import BaseHTTPRequestHandler

import pytest

from lab.cache import LabError
from lab.toolchain import download

CONTENT = b"a release" * 1000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Release(BaseHTTPRequestHandler):
    """A release server whose paths say how it behaves."""

    asked = 0

    def do_GET(self):
        type(self).asked += 1
        if self.path == "/missing":
            self.send_error(404)
            return
        lists = f"{'0' * 64}  other.tar.gz\n{DIGEST}  tool.tar.gz\n".encode()
        content = lists if self.path == "/checksums.txt" else CONTENT
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if self.path == "/cut" else content)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def releases(serve):
    return serve(Release)


def test_a_file_is_fetched_once(cache, releases):
    before = Release.asked
    path = download.fetch(cache, f"{releases}/tool.tar.gz", DIGEST)
    assert path.read_bytes() == CONTENT
    assert download.fetch(cache, f"{releases}/tool.tar.gz", DIGEST) == path
    assert Release.asked == before + 1


def test_another_file_than_pinned_is_refused_and_not_kept(cache, releases):
    with pytest.raises(LabError, match=rf"sha256 {DIGEST} where {'1' * 64} is pinned.*OFFLINE=1"):
        download.fetch(cache, f"{releases}/tool.tar.gz", "1" * 64)
    assert not list(cache.downloads.iterdir())
    assert not list(cache.temporary.iterdir())


def test_half_a_file_is_refused(cache, releases):
    with pytest.raises(LabError, match="is pinned"):
        download.fetch(cache, f"{releases}/cut", DIGEST)


def test_no_file_and_no_server_mean_unreachable(cache, releases, unused_port):
    for url in (f"{releases}/missing", f"http://127.0.0.1:{unused_port}/tool.tar.gz"):
        with pytest.raises(download.UnreachableError):
            download.fetch(cache, url, DIGEST)


def test_a_digest_is_found_in_the_publishers_list(releases):
    assert download.published_digest(f"{releases}/checksums.txt", "tool.tar.gz") == DIGEST
    with pytest.raises(download.UnreachableError, match=r"has no line for absent.tar.gz"):
        download.published_digest(f"{releases}/checksums.txt", "absent.tar.gz")
