"""How long the linter takes: NADs with pods by thousands, each in a process of its own; prints JSON.

    python -m tests.bench.lint [COUNT…]

Half of the second set has a finding each, for places in the file are looked up only then.
"""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]

_DOCUMENTS = """\
apiVersion: k8s.cni.cncf.io/v1
kind: NetworkAttachmentDefinition
metadata: {{name: net{i}, namespace: telecom}}
spec:
  config: |-
    {config}
---
apiVersion: v1
kind: Pod
metadata:
  name: pod{i}
  namespace: telecom
  annotations:
    k8s.v1.cni.cncf.io/networks: '[{{"name": "net{i}", "interface": "net1"}}, {{"name": "net{j}"}}]'
spec:
  containers:
    - name: c
      image: docker.io/library/busybox:1.36
"""


def manifests(count: int, *, broken: bool) -> str:
    """NADs on 50 masters, each with a range of its own, and pods on two of them."""
    documents = []
    for i in range(count):
        net = f"10.{(i >> 8) & 255}.{i & 255}"
        ipam = {"type": "whereabouts", "range": f"{net}.200-{net}.250/24", "gateway": f"{net}.1"}
        plugins = [
            {"type": "macvlan", "master": f"ens{i % 50}", "mode": "l2" if broken and i % 2 else "bridge", "ipam": ipam},
            {"type": "tuning", "sysctl": {"net.core.somaxconn": "500"}},
        ]
        config = json.dumps({"cniVersion": "1.0.0", "name": f"net{i}", "plugins": plugins}, indent=2)
        documents.append(_DOCUMENTS.format(i=i, j=(i + 1) % count, config=config.replace("\n", "\n    ")))
    return "---\n".join(documents)


def measured(count: int, *, broken: bool) -> dict[str, float | int | bool]:
    """Seconds (by the clock, and of the processor) and memory of `multus-site lint -`, from start to end."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    before = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "multus_site", "lint", "--format", "json", "-"],
        input=manifests(count, broken=broken),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    seconds = time.monotonic() - before
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
    return {
        "nads": count,
        "findings": len(json.loads(done.stdout)),
        "seconds": round(seconds, 2),
        "processorSeconds": round(processor, 2),
        "largestMiB": after.ru_maxrss // 1024,
    }


def main() -> None:
    """Measure the counts of the command line, or 1,000 and 10,000."""
    counts = [int(argument) for argument in sys.argv[1:]] or [1000, 10000]
    print(json.dumps([measured(count, broken=broken) for count in counts for broken in (False, True)], indent=2))


if __name__ == "__main__":
    main()
