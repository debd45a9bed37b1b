"""`python -m tests.releases.recording`: the state that today's program leaves, as that of the package's version.

The site is the one that the last release was recorded with: `up` by the real pulumi, with providers that pretend that nodes are there.
"""

import json
import sys
import tempfile
from pathlib import Path

import yaml

import multus_site
from tests.engine.applied import PROJECT, Place
from tests.graph.recording import PRIVATE_KEY

HERE = Path(__file__).parent
FILE = "Pulumi.dallas.yaml"


def version(folder):
    """A release's number, to sort by."""
    return tuple(map(int, folder.name.split(".")))


def current():
    """The project's version."""
    return multus_site.__version__


def releases():
    """Folders of the releases that were recorded, the oldest first."""
    return sorted((file.parent for file in HERE.glob("*/state.json")), key=version)


def record(to, scratch):
    """Writes state.json and the site's file into a folder that is not there yet."""
    place = Place(scratch)
    place.write(yaml.safe_load((releases()[-1] / FILE).read_text())["config"]["multus-site:site"])
    place.initialise()
    place.secret("multus-site:sshPrivateKey", PRIVATE_KEY)
    place.up()
    state = json.loads(place.must("pulumi", "stack", "export", "--stack", "dallas"))
    for resource in state["deployment"]["resources"]:
        # Where the program stood on the machine that recorded it.
        for key in ("sourcePosition", "stackTrace"):
            resource.pop(key, None)
    to.mkdir()
    (to / "state.json").write_text(json.dumps(state, sort_keys=True, separators=(",", ":")) + "\n")
    (to / FILE).write_text(place.file.read_text())


if __name__ == "__main__":
    folder = HERE / current()
    if folder.exists():
        sys.exit(
            f"{folder.relative_to(PROJECT)} is there: what a release left stays. Write the next version into multus_site/__init__.py"
        )
    with tempfile.TemporaryDirectory(prefix="multus-site-") as name:
        record(folder, Path(name) / "place")
    print(f"{folder.relative_to(PROJECT)} is written")
