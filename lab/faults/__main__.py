"""`python -m lab.faults [--only NAME,NAME]`: runs the fault campaign on the lab that is up, and writes its table into docs/verification.md."""

import argparse
import os
import sys

from lab.cache import Cache, LabError
from lab.commands import exclusive
from lab.faults import kinds  # noqa: F401 - registers the faults
from lab.faults.bench import Bench
from lab.faults.campaign import load, run
from lab.faults.page import write
from lab.faults.registry import FAULTS
from lab.place import PROJECT, Place

PAGE = PROJECT / "docs" / "verification.md"


def main(arguments: list[str]) -> int:
    """Runs faults. Returns 0, 1 if one is green while broken, not restored or has lost something, 2 if it could not run."""
    parser = argparse.ArgumentParser(prog="python -m lab.faults", description=__doc__)
    parser.add_argument("--only", default="", metavar="NAMES", help="names of faults, with commas; all by default")
    parser.add_argument("--list", action="store_true", help="print the names and end")
    given = parser.parse_args(arguments)
    names = [name for name in given.only.split(",") if name] or list(FAULTS)
    if given.list:
        print("\n".join(f"{name:<36} {FAULTS[name].what}" for name in names))
        return 0
    if unknown := [name for name in names if name not in FAULTS]:
        print(f"multus-site: no such fault: {', '.join(unknown)}. Type: python -m lab.faults --list", file=sys.stderr)
        return 2
    place = Place(PROJECT, Cache.default())
    results = place.folder / "faults" / "results.json"
    try:
        with exclusive(place):
            lab = Bench(place)
            rows = run(lab, [FAULTS[name] for name in names], results, lambda text: print(text, flush=True))
    except LabError as error:
        print(f"multus-site: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(
            "multus-site: interrupted. What was broken is undone as far as it goes; to restore the rest, type: make lab",
            file=sys.stderr,
        )
        return 130
    finally:
        known = {row.name: row for row in load(results)}
        write(PAGE, [known[name] for name in FAULTS if name in known])
    bad = [row for row in rows if row.wrong]
    print(
        f"{len(rows)} faults, {len(bad)} of them not as they should be"
        + "".join(f"\n  {row.name}: {'; '.join(row.wrong)}" for row in bad)
    )
    return 1 if bad else 0


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main(sys.argv[1:]))
