"""What the user's own helm and kustomize render, as files to check."""

import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from multus_site.cli.files import Found
from multus_site.cli.usage_error import usage_error

_SOURCE = re.compile(r"^# Source: (.+)$", re.MULTILINE)
_SECONDS = 300


def of_helm(chart: str, values: Sequence[Path]) -> Iterator[Found]:
    """What `helm template` prints, a file for each template. Exits 2 if helm is missing or fails."""
    if shutil.which("helm") is None:
        usage_error("helm is not on PATH, and --helm needs it; install it: https://helm.sh/docs/intro/install/")
    printed = _output("helm", "template", chart, *(part for file in values for part in ("--values", str(file))))
    by_template: dict[str, list[str]] = {}
    for document in re.split(r"^---\s*$", printed, flags=re.MULTILINE):
        source = _SOURCE.search(document)
        by_template.setdefault(source.group(1) if source else chart, []).append(document)
    for template, rendered in by_template.items():
        yield Found(f"{template} (rendered)", "---".join(rendered), in_folder=True)


def of_kustomize(folder: Path) -> Iterator[Found]:
    """What `kustomize build` prints, or `kubectl kustomize`. Exits 2 if both are missing, or it fails."""
    if shutil.which("kustomize") is not None:
        printed = _output("kustomize", "build", str(folder))
    elif shutil.which("kubectl") is not None:
        printed = _output("kubectl", "kustomize", str(folder))
    else:
        usage_error(
            "neither kustomize nor kubectl is on PATH, and --kustomize needs one; install it: https://kubectl.docs.kubernetes.io/installation/kustomize/"
        )
    yield Found(f"{folder} (rendered)", printed, in_folder=True)


def _output(*command: str) -> str:
    shown = " ".join(command)
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        usage_error(f"{shown}: no answer within {_SECONDS} s; try it yourself")
    if done.returncode:
        reason = (done.stderr.decode(errors="replace").strip().splitlines() or ["it gave no reason"])[-1]
        usage_error(f"{shown}: {reason}")
    return done.stdout.decode(errors="replace")
