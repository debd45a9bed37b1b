"""The connection to an API server, and what kr8s writes for it."""

import contextlib
import functools
import tempfile
from collections.abc import Iterator
from typing import Any, cast

import kr8s


async def connected(kubeconfig: dict[str, Any] | str | None, context: str | None = None) -> Any:  # noqa: ANN401 - kr8s.asyncio.Api is built by a factory without a public type
    """Return an API client of kr8s. `kubeconfig`: content, or name of the file. Raises errors of kr8s and httpx if the API server does not answer."""
    with passing_keys():
        # kr8s accepts a dictionary too; its annotation only has file names.
        return await kr8s.asyncio.api(kubeconfig=cast(str, kubeconfig), context=context)


@contextlib.contextmanager
def passing_keys() -> Iterator[None]:
    """Let kr8s write its temporary files, which hold keys, into a folder that is removed when the process ends.

    kr8s may read them again later, and does not remove them.
    """
    before, tempfile.tempdir = tempfile.tempdir, _folder().name
    try:
        yield
    finally:
        tempfile.tempdir = before


@functools.cache
def _folder() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="multus-site-")
