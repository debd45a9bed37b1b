"""Builds the playground: a page that lints what is pasted into it, without a server. `make playground`.

The page is a folder of three files that works from any web server, and opened as a file. Python runs in it as WebAssembly:
Pyodide from npm, the compiled part of pydantic from PyPI, and the linter with its other dependencies as they are installed here.
Browsers load neither WebAssembly nor modules from files beside a page opened as a file, so runtime.js holds them as text.
"""

import base64
import gzip
import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import multus_site

HERE = Path(__file__).parent
OUTPUT = HERE.parents[1] / ".work" / "playground"

PYODIDE = "314.0.7"
PYODIDE_SHA256 = "66b7949e5a0cba2250b586d7e368bf12fb482800748d182c4618254b685ffaa0"
RUNTIME = ("pyodide.js", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")

PYTHON = "314"
PLATFORM = "pyemscripten_2026_0_wasm32"
PURE = ("pydantic", "annotated-types", "typing-extensions", "typing-inspection", "PyYAML", "ruamel.yaml")
"""What the linter needs besides pydantic-core. Of PyYAML the part in Python is enough."""

EXAMPLES = {
    "A network and a pod": "network-and-pod.yaml",
    "A site": "site.yaml",
}


class PlaygroundError(RuntimeError):
    """A part that cannot be had; the message says which, and what to do."""


def build(output: Path = OUTPUT, examples: dict[str, str] | None = None) -> Path:
    """Write the page. Returns its index.html. `examples`: title → text, the first is shown. Raises PlaygroundError."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parts = _pyodide(folder) | {"pydantic-core.whl": _pydantic_core(folder), "linter.zip": _linter()}
    output.mkdir(parents=True, exist_ok=True)
    for file, only in (("runtime.js", set(RUNTIME)), ("linter.js", parts.keys() - set(RUNTIME))):
        lines = [f"FILES[{json.dumps(name)}] = {json.dumps(_text(parts[name]))};\n" for name in sorted(only)]
        (output / file).write_text("".join(lines))
    examples = examples or {title: (HERE / file).read_text() for title, file in EXAMPLES.items()}
    page = (HERE / "index.html").read_text()
    page = page.replace("@VERSION@", multus_site.__version__).replace("@EXAMPLES@", in_script(examples))
    (output / "index.html").write_text(page)
    return output / "index.html"


def in_script(data: object) -> str:
    """Data as JavaScript inside a page, which no text in it can end."""
    return json.dumps(data).replace("<", "\\u003c")


def _text(data: bytes) -> str:
    return base64.b64encode(gzip.compress(data, mtime=0)).decode()


def _pyodide(folder: Path) -> dict[str, bytes]:
    """The files of Pyodide's npm package."""
    if shutil.which("npm") is None:
        message = "there is no npm, which downloads Pyodide. Type: apt-get install npm"
        raise PlaygroundError(message)
    _must("npm", "pack", "--silent", f"pyodide@{PYODIDE}", folder=folder)
    archive = (folder / f"pyodide-{PYODIDE}.tgz").read_bytes()
    if (found := hashlib.sha256(archive).hexdigest()) != PYODIDE_SHA256:
        message = f"pyodide-{PYODIDE}.tgz: its sha256 is {found}, not {PYODIDE_SHA256}"
        raise PlaygroundError(message)
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {name: tar.extractfile(f"package/{name}").read() for name in RUNTIME}  # type: ignore[union-attr]  # each is a file


def _pydantic_core(folder: Path) -> bytes:
    """pydantic-core for WebAssembly, at the version that is installed here."""
    wanted = f"pydantic-core=={distribution('pydantic-core').version}"
    _must(
        *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"),
        *("--python-version", PYTHON, "--platform", PLATFORM, "--dest", ".", wanted),
        folder=folder,
    )
    (wheel,) = folder.glob("pydantic_core-*.whl")
    return wheel.read_bytes()


def _linter() -> bytes:
    """The linter and what it imports, as one archive of Python."""
    archive = io.BytesIO()
    with ZipFile(archive, "w", ZIP_DEFLATED) as target:
        for name, file in sorted(_modules()):
            target.writestr(name, file.read_bytes())
        target.writestr("playground.py", (HERE / "playground.py").read_bytes())
    return archive.getvalue()


def _modules() -> Iterator[tuple[str, Path]]:
    package = Path(multus_site.__file__).parent
    for file in package.rglob("*"):
        if file.is_file() and file.suffix in {".py", ".sh", ".json", ".yaml"}:
            yield f"multus_site/{file.relative_to(package)}", file
    for name in PURE:
        for entry in distribution(name).files or []:
            if entry.suffix == ".py" and ".." not in entry.parts:
                yield str(entry), Path(str(entry.locate()))


def _must(*command: str, folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        message = f"{' '.join(command[:4])} … failed: {lines[-1] if lines else 'no reason given'}"
        raise PlaygroundError(message)


if __name__ == "__main__":
    try:
        print(build())
    except PlaygroundError as error:
        sys.exit(f"playground: {error}")
