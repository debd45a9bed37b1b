"""A disk for the NoCloud data source: ISO 9660 (ECMA-119), labelled CIDATA, a few small files in its root folder.

A script on the hypervisor writes the extents to the disk, so the hypervisor needs no program for ISO images.
"""

import struct
from collections.abc import Mapping

SECTOR = 2048
_DESCRIPTORS, _PATHS, _ROOT, _FILES = 16, 18, 20, 21
"""First sectors of the parts. The standard reserves the first sixteen."""
_TIME = bytes((125, 1, 1, 0, 0, 0, 0))
"""2025-01-01; constant, so that equal files give an equal disk."""


def extents(files: Mapping[str, str]) -> tuple[list[tuple[int, bytes]], int]:
    """(first sector, bytes) of everything that is not zero, and the size of the disk in sectors."""
    records = _record(b"\0", _ROOT, SECTOR, folder=True) + _record(b"\1", _ROOT, SECTOR, folder=True)
    found: list[tuple[int, bytes]] = []
    sector = _FILES
    for name in sorted(files):
        data = files[name].encode()
        # The standard has no small letters and no '-'. Linux shows the name unchanged, without the version.
        records += _record(f"{name};1".encode(), sector, len(data))
        found.append((sector, data))
        sector += -(-len(data) // SECTOR) or 1
    paths = [struct.pack(f"{order}BBIH2s", 1, 0, _ROOT, 1, b"\0\0") for order in "<>"]
    head = [
        (_DESCRIPTORS, _primary(sector, len(paths[0]))),
        (_DESCRIPTORS + 1, b"\xffCD001\1"),
        (_PATHS, paths[0]),
        (_PATHS + 1, paths[1]),
        (_ROOT, records),
    ]
    return [*head, *found], sector


def _primary(sectors: int, path_table: int) -> bytes:
    """The primary volume descriptor."""
    return b"".join(
        (
            b"\1CD001\1\0",
            b"LINUX".ljust(32),
            b"CIDATA".ljust(32),
            bytes(8),
            _both(sectors, 4),
            bytes(32),
            _both(1, 2) + _both(1, 2) + _both(SECTOR, 2),
            _both(path_table, 4),
            struct.pack("<II", _PATHS, 0) + struct.pack(">II", _PATHS + 1, 0),
            _record(b"\0", _ROOT, SECTOR, folder=True),
            b" " * (128 * 4 + 37 * 3),
            (b"0" * 16 + b"\0") * 4,
            b"\1",
        )
    )


def _record(name: bytes, sector: int, size: int, *, folder: bool = False) -> bytes:
    """A directory record."""
    body = b"".join(
        (
            _both(sector, 4) + _both(size, 4),
            _TIME,
            bytes((2 if folder else 0, 0, 0)),
            _both(1, 2),
            bytes((len(name),)),
            name,
            b"" if len(name) % 2 else b"\0",
        )
    )
    return bytes((len(body) + 2, 0)) + body


def _both(value: int, size: int) -> bytes:
    """A number in both byte orders."""
    return value.to_bytes(size, "little") + value.to_bytes(size, "big")
