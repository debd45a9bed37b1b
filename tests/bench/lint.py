"""How long the linter takes: networks and pods by thousands, each shape in a process of its own; prints JSON.

    python -m tests.bench.lint [COUNT…]

Places in the file are looked up only for findings: half of the shape "own ranges, broken" has one each.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

_NETWORK = """\
apiVersion: k8s.cni.cncf.io/v1
kind: NetworkAttachmentDefinition
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  config: |-
    {config}
"""

_POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: {name}
  namespace: {namespace}
  annotations:
    k8s.v1.cni.cncf.io/networks: '{networks}'
spec:
  containers:
    - name: c
      image: docker.io/library/busybox:1.36
"""


Object = dict[str, Any]


def _network(i: int, *, master: str, ranges: str, name: str = "net{}", mode: str = "bridge", **ipam: str) -> Object:
    plugins = [
        {"type": "macvlan", "master": master, "mode": mode, "ipam": {"type": "whereabouts", "range": ranges, **ipam}},
        {"type": "tuning", "sysctl": {"net.core.somaxconn": "500"}},
    ]
    return _nad(name.format(i), {"plugins": plugins})


def _nad(name: str, config: Object) -> Object:
    text = json.dumps({"cniVersion": "1.0.0", "name": name, **config}, indent=2)
    metadata = {"name": name, "namespace": "telecom"}
    return {
        "apiVersion": "k8s.cni.cncf.io/v1",
        "kind": "NetworkAttachmentDefinition",
        "metadata": metadata,
        "spec": {"config": text},
    }


def _pod(i: int, *networks: object) -> Object:
    annotations = {"k8s.v1.cni.cncf.io/networks": json.dumps(networks)}
    metadata = {"name": f"pod{i}", "namespace": "telecom", "annotations": annotations}
    containers = [{"name": "c", "image": "docker.io/library/busybox:1.36"}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": containers}}


def _own(i: int) -> str:
    net = f"10.{(i >> 8) & 255}.{i & 255}"
    return f"{net}.200-{net}.250/24"


def own_ranges(count: int, *, broken: bool = False) -> Iterator[Object]:
    """Networks on 50 masters, each with a range of its own, and pods on two of them."""
    for i in range(count):
        mode = "l2" if broken and i % 2 else "bridge"
        yield _network(i, master=f"ens{i % 50}", ranges=_own(i), mode=mode, gateway=_own(i).partition(".200")[0] + ".1")
        yield _pod(i, {"name": f"net{i}", "interface": "net1"}, {"name": f"net{(i + 1) % count}"})


def shared_masters(count: int) -> Iterator[Object]:
    """Networks without pods, on 50 masters, whose ranges overlap."""
    return (_network(i, master=f"ens{i % 50}", ranges="10.1.0.0/16") for i in range(count))


def one_segment(count: int) -> Iterator[Object]:
    """Networks on one master, inside one range, and pods that request addresses of it."""
    for i in range(count):
        yield _network(i, master="ens6", ranges="10.0.0.0/8" if not i else _own(i))
        yield _pod(i, {"name": f"net{i}", "ips": [f"10.{(i >> 8) & 255}.{i & 255}.220/24"]})


def one_network_name(count: int) -> Iterator[Object]:
    """Networks that name one pool of addresses, each on a master of its own, and a pod for each."""
    for i in range(count):
        yield _network(i, master=f"ens{i}", ranges="10.1.0.0/16", network_name="core")
        yield _pod(i, {"name": f"net{i}"})


def one_namespace(count: int) -> Iterator[Object]:
    """Pods of one namespace whose networks are misspelled."""
    for i in range(count):
        yield _network(i, master=f"ens{i % 50}", ranges=_own(i), name="customers-{}")
        yield _pod(i, {"name": f"custmers-{i}"})


def many_pods(count: int) -> Iterator[Object]:
    """Pods of one network; every second requests an address."""
    yield _network(0, master="ens6", ranges="10.0.0.0/8")
    for i in range(count):
        ips = [f"10.{(i >> 16) & 255}.{(i >> 8) & 255}.{i & 255}/8"]
        yield _pod(i, {"name": "net0", **({"ips": ips} if i % 2 else {})})


def one_nic(count: int) -> Iterator[Object]:
    """Networks that each take one NIC exclusively."""
    return (_nad(f"net{i}", {"type": "host-device", "device": "ens6"}) for i in range(count))


SHAPES: dict[str, Callable[[int], Iterator[Object]]] = {
    "own ranges": own_ranges,
    "own ranges, broken": lambda count: own_ranges(count, broken=True),
    "shared masters": shared_masters,
    "one segment": one_segment,
    "one network_name": one_network_name,
    "one namespace": one_namespace,
    "many pods": many_pods,
    "one NIC": one_nic,
}


def manifests(shape: str, count: int) -> str:
    """The objects of a shape as documents of YAML, with configurations in blocks."""
    return "---\n".join(_text(data) for data in SHAPES[shape](count))


def _text(data: Object) -> str:
    metadata = data["metadata"]
    if data["kind"] == "Pod":
        return _POD.format(**metadata, networks=metadata["annotations"]["k8s.v1.cni.cncf.io/networks"])
    return _NETWORK.format(**metadata, config=data["spec"]["config"].replace("\n", "\n    "))


def one_list(shape: str, count: int) -> str:
    """The objects of a shape as one List of JSON, as kubectl prints it."""
    return json.dumps({"kind": "List", "items": list(SHAPES[shape](count))})


def measured(shape: str, count: int) -> dict[str, float | int | str]:
    """Seconds (by the clock, and of the processor) and memory of `multus-site lint -`, from start to end."""
    with tempfile.TemporaryFile() as text, tempfile.TemporaryFile() as output:
        text.write(manifests(shape, count).encode())
        text.seek(0)
        before = time.monotonic()
        command = [sys.executable, "-m", "multus_site", "lint", "--format", "json", "-"]
        running = subprocess.Popen(command, stdin=text, stdout=output, cwd=ROOT)
        _, _, used = os.wait4(running.pid, 0)
        seconds = time.monotonic() - before
        output.seek(0)
        findings = len(json.load(output))
    return {
        "shape": shape,
        "count": count,
        "findings": findings,
        "seconds": round(seconds, 2),
        "processorSeconds": round(used.ru_utime + used.ru_stime, 2),
        "largestMiB": used.ru_maxrss // 1024,
    }


def main() -> None:
    """Measure the counts of the command line, or 1,000 and 10,000."""
    counts = [int(argument) for argument in sys.argv[1:]] or [1000, 10000]
    print(json.dumps([measured(shape, count) for shape in SHAPES for count in counts], indent=2))


if __name__ == "__main__":
    main()
