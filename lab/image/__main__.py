"""`python -m lab.image`: make the node image and say where it is."""

from __future__ import annotations

import sys

from lab import image
from lab.cache import Cache, LabError


def main() -> int:
    """Print the tar file, its sha256 and what to tell `podman import`; 1 when it can't be made."""
    cache = Cache.default()
    try:
        with cache.lock():
            made = image.build(cache, lambda step, _: print(step, file=sys.stderr))
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    print(made.path, made.digest)
    for change in made.changes:
        print("--change", change)
    return 0


sys.exit(main())
