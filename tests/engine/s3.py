"""An S3 server on this machine's loopback: versitygw, built from its Go module. Buckets are folders."""

import os
import shutil
import socket
import subprocess
import time

import pytest

from lab.cache import Cache, LabError
from lab.toolchain import go, modules

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "an-access-key", "AWS_SECRET_ACCESS_KEY": "a-secret-key"}
BUCKET = "sites"


def built():
    """The server's executable. Skips, saying why, where it cannot be had."""
    if shutil.which("go") is None:
        pytest.skip("there is no Go to build an S3 server with")
    cache = Cache.default()
    try:
        compiler = go.find(cache, go.needed(modules.MODULES), lambda *_: None)
        return modules.build_one(cache, compiler, modules.TOOLS["versitygw"], lambda *_: None) / "versitygw"
    except LabError as error:
        pytest.skip(f"the S3 server cannot be built: {error}")


class Server:
    """A server with one empty bucket."""

    def __init__(self, folder):
        program = built()
        self.buckets = folder / "buckets"
        (self.buckets / BUCKET).mkdir(parents=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        keys = {
            "ROOT_ACCESS_KEY": CREDENTIALS["AWS_ACCESS_KEY_ID"],
            "ROOT_SECRET_KEY": CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        }
        # What it keeps of an object besides its bytes stands in files: not every file system has extended attributes.
        sidecar = folder / "metadata"
        sidecar.mkdir()
        self.process = subprocess.Popen(
            [program, "--quiet", "--port", f"127.0.0.1:{self.port}", "posix", "--sidecar", sidecar, self.buckets],
            env={**os.environ, **keys}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._wait()

    @property
    def url(self):
        """The bucket as pulumi takes it."""
        where = f"endpoint=http://127.0.0.1:{self.port}&s3ForcePathStyle=true&region=us-east-1"
        return f"s3://{BUCKET}?{where}"

    def _wait(self):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                pytest.fail(f"the S3 server ended: {self.process.stderr.read()[-500:]}")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        pytest.fail("the S3 server does not answer")

    def stop(self):
        """Ends it."""
        self.process.terminate()
        self.process.wait(10)
