"""Run modules of this package on a node, with the node's Python, through the Multus daemon that runs there."""

import asyncio
import base64
import json
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import kr8s
from httpx_ws import HTTPXWSException, WebSocketUpgradeError
from kr8s.asyncio.objects import Pod

LOOK_SECONDS = 90
"""For one node and all of its pods."""

EXEC_ERRORS = (
    kr8s.ExecError,
    kr8s.APITimeoutError,
    kr8s.ServerError,
    kr8s.NotFoundError,
    httpx.HTTPError,
    HTTPXWSException,
    TimeoutError,
    # httpx_ws raises what breaks a connection in use in a group.
    ExceptionGroup,
)
"""How a command in a pod may fail when its node, its kubelet or the pod is gone."""

PROBE = ("multus_site.verify.packets", "multus_site.verify.probe")
"""The probe's modules, in the order in which they import each other."""

_FOLDER = Path(__file__).parents[2]
"""The folder of the package."""
# An argument carries the modules: the exec protocol of kr8s cannot close standard input.
_LOADER = (
    "import sys,json,zlib,base64,types\n"
    "for name, text in json.loads(zlib.decompress(base64.b64decode(sys.argv[1]))):\n"
    "    module = sys.modules[name] = types.ModuleType(name)\n"
    "    exec(text, module.__dict__)\n"
    "module.main(json.loads(sys.argv[2]))"
)


class LookError(Exception):
    """A node that cannot be inspected; the message says why."""


class AnyPod(Pod):
    """A pod for exec whether ready or not: kr8s would wait for a daemon that lost its configuration."""

    async def async_ready(self) -> bool:
        """Return at once."""
        return True


async def run_on_node(
    api: Any,  # noqa: ANN401 - kr8s.asyncio.Api has no public type
    daemon: Pod,
    task: dict[str, Any],
    *scripts: str,
) -> str:
    """Run modules on a node through its Multus daemon; return the output of the last one's `main`. Raises LookError."""
    command = [
        "chroot",
        "/hostroot",
        "python3",
        "-c",
        _LOADER,
        _packed(scripts),
        json.dumps(task, separators=(",", ":")),
    ]
    pod = await AnyPod(daemon.raw, api=api)
    try:
        done = await asyncio.wait_for(pod.exec(command, check=False), LOOK_SECONDS)
    except WebSocketUpgradeError as error:
        # The body of the response is no longer available.
        msg = f"the API server cannot reach its kubelet ({error.response.status_code} {error.response.reason_phrase})"
        raise LookError(msg) from None
    except ExceptionGroup as group:
        cause = _first(group)
        msg = f"the connection to its kubelet broke while the node was checked: {str(cause) or type(cause).__name__}"
        raise LookError(msg) from None
    except EXEC_ERRORS as error:
        raise LookError(str(error) or f"no answer within {LOOK_SECONDS} s") from None
    if done.returncode:
        last = (done.stderr.decode(errors="replace").strip().splitlines() or ["no output"])[-1]
        raise LookError(last)
    return str(done.stdout.decode(errors="replace"))


def _first(group: ExceptionGroup[Exception]) -> Exception:
    """Return the first error in nested groups."""
    first = group.exceptions[0]
    return _first(first) if isinstance(first, ExceptionGroup) else first


def _packed(scripts: Sequence[str]) -> str:
    """Pack modules, with empty parent packages, for a machine that lacks them."""
    above = (script.split(".")[:depth] for script in scripts for depth in range(1, script.count(".") + 1))
    packages = [(name, "") for name in dict.fromkeys(map(".".join, above))]
    texts = [(script, (_FOLDER / f"{script.replace('.', '/')}.py").read_text(encoding="utf-8")) for script in scripts]
    return base64.b64encode(zlib.compress(json.dumps([*packages, *texts]).encode(), 9)).decode()
