"""Records that programs print for Pulumi's state, and get back at their next run.

pulumi-command passes what a program printed last in $PULUMI_COMMAND_STDOUT. Linux limits one variable to 128 KiB (MAX_ARG_STRLEN), and refuses to start
a program with a longer one. So a record is compressed before it gets there: what remains at 1,000 nodes are keys and machine ids, which are random.
"""

import base64
import json
import lzma
import os
from typing import Any, Final

CLEAR: Final = 32 * 1024
"""Characters up to which a record stays readable in the state: a hundred nodes."""

_PACKED: Final = "packed"


class RecordError(ValueError):
    """The text is no record: empty, incomplete, or from another program."""


def packed(record: dict[str, Any], **clear: str | int) -> str:
    """A record as one line of JSON; compressed, beside the members `clear`, if it is long."""
    text = json.dumps(record, sort_keys=True, separators=(",", ":"))
    if len(text) <= CLEAR:
        return text
    data = base64.b64encode(lzma.compress(text.encode())).decode()
    return json.dumps({_PACKED: data, **clear}, sort_keys=True)


def unpacked(text: str) -> dict[str, Any]:
    """The record on the last line of a program's output, compressed or not. Raises RecordError."""
    try:
        record = json.loads(text.strip().splitlines()[-1])
        if isinstance(record, dict) and _PACKED in record:
            record = json.loads(lzma.decompress(base64.b64decode(record[_PACKED], validate=True)))
    except (ValueError, TypeError, IndexError, EOFError, lzma.LZMAError) as error:
        msg = f"not a record: {error}"
        raise RecordError(msg) from None
    if not isinstance(record, dict):
        msg = "not a record: it is no JSON object"
        raise RecordError(msg)
    return record


def last_printed() -> str:
    """What this program printed at its last run; empty at its first."""
    return os.environ.get("PULUMI_COMMAND_STDOUT", "")
