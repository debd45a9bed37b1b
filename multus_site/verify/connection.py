"""The connection to an API server, and what kr8s writes for it."""

import contextlib
import functools
import tempfile
from collections.abc import Iterator
from typing import Any, cast

import kr8s


async def connected(kubeconfig: dict[str, Any] | str | None, context: str | None = None) -> Any:  # noqa: ANN401 - kr8s.asyncio.Api is built by a factory without a public type
    """kr8s' own; `kubeconfig` is its content, or the name of its file. Raises kr8s' errors and httpx' where the API server does not answer."""
    with passing_keys():
        # A dictionary is taken too; the annotation knows of file names only.
        return await kr8s.asyncio.api(kubeconfig=cast(str, kubeconfig), context=context)


@contextlib.contextmanager
def passing_keys() -> Iterator[None]:
    """What kr8s connects with goes with the process: it writes keys into temporary files, may read them again later, and leaves them."""
    before, tempfile.tempdir = tempfile.tempdir, _folder().name
    try:
        yield
    finally:
        tempfile.tempdir = before


@functools.cache
def _folder() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="multus-site-")
