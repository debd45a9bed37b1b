"""The connection to an API server."""

import functools
import tempfile
from typing import Any, cast

import kr8s


async def connected(kubeconfig: dict[str, Any] | str | None, context: str | None = None) -> Any:  # noqa: ANN401 - kr8s.asyncio.Api is built by a factory without a public type
    """kr8s' own; `kubeconfig` is its content, or the name of its file. Raises kr8s' errors and httpx' where the API server does not answer.

    kr8s writes the client's key into a temporary file, may read it again later, and leaves it. So that goes into a folder that ends with the process.
    """
    before, tempfile.tempdir = tempfile.tempdir, _folder().name
    try:
        # A dictionary is taken too; the annotation knows of file names only.
        return await kr8s.asyncio.api(kubeconfig=cast(str, kubeconfig), context=context)
    finally:
        tempfile.tempdir = before


@functools.cache
def _folder() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="multus-site-")
