"""`python -m lab.history`: runs a seed on the lab that is up and checks its history, or checks a record again with --check FOLDER."""

import argparse
import contextlib
import os
import sys
from pathlib import Path

from lab.cache import Cache, LabError
from lab.commands import exclusive
from lab.history.checker import check
from lab.history.record import History, history, lines, read
from lab.history.shortest import meanwhile, shortest
from lab.place import PROJECT, Place


def load(folder: Path) -> tuple[History, list[dict[str, object]]]:
    """The history in a folder, and its raw events. Raises LabError where there is none."""
    files = sorted(folder.glob("*.jsonl"))
    if not files:
        msg = f"{folder} has no record (*.jsonl)"
        raise LabError(msg)
    events = read(line for file in files for line in file.read_text(encoding="utf-8").splitlines())
    return history(events), events


def verdict(folder: Path) -> tuple[int, list[str]]:
    """The number of violations without a known cause, and the lines to print: what was seen, and for each violation the shortest history that shows it."""
    told, events = load(folder)
    counts = {kind: len(told.of(kind)) for kind in ("address", "mac", "reservation", "sandbox", "pod")}
    looks = [event for event in events if event["event"] == "sampled"]
    done = [life for life in told.of("action")]
    first = min((float(str(event["t"])) for event in events), default=0.0)
    longest = max((float(str(event["longest"])) for event in looks), default=0.0)
    said = [
        f"{told.end - first:.0f} s; {len(done)} actions, {sum(life.fault for life in done)} of them faults; "
        f"{counts['pod']} pods, {counts['sandbox']} sandboxes, {counts['address']} addresses, {counts['mac']} MACs and {counts['reservation']} reservations; "
        f"longest time between two looks {longest:.2f} s"
    ]
    if not looks or not counts["sandbox"] or not told.of("ready"):
        return 1, [
            *said,
            "the probes saw no sandbox, or the API server told of no pod that was ready: nothing was checked",
        ]
    found = check(told)
    for number, violation in enumerate(found, 1):
        short = shortest(told, violation)
        said += ["", f"{number}. {violation.rule}: {violation.text}", *lines(short.lives, first)]
        said += [f"    known: {violation.known}"] if violation.known else []
        said += [f"    meanwhile: {line}" for line in lines(meanwhile(told, short), first)]
    new = sum(not violation.known for violation in found)
    return new, [
        *said,
        "",
        f"{len(found)} violations, {len(found) - new} of them of known causes" if found else "no violation",
    ]


def main(arguments: list[str]) -> int:
    """Runs or checks. Returns 0 without violations other than those of known causes, 1 with some, 2 if it could not run."""
    parser = argparse.ArgumentParser(prog="python -m lab.history", description=__doc__)
    parser.add_argument(
        "--seed", default="1", metavar="SEEDS", help="a number, or several with commas, one run after another"
    )
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument(
        "--check", type=Path, metavar="FOLDER", help="the folder of an earlier record, which is checked again"
    )
    given = parser.parse_args(arguments)
    try:
        if given.check:
            return _report(given.check)
        from lab.history.run import run

        worst, place = 0, Place(PROJECT, Cache.default())
        seeds = [int(seed) for seed in given.seed.split(",")]
        with exclusive(place), contextlib.closing(run(place, seeds, given.minutes)) as folders:
            for folder in folders:
                worst = max(worst, _report(folder))
    except (LabError, ValueError) as error:
        print(f"multus-site: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(
            "multus-site: interrupted; every fault is undone. If the lab is not as it was, type: make lab",
            file=sys.stderr,
        )
        return 130
    return worst


def _report(folder: Path) -> int:
    count, said = verdict(folder)
    print(f"record in {folder}", *said, sep="\n", flush=True)
    return 1 if count else 0


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main(sys.argv[1:]))
