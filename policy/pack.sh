#!/bin/sh
# The pack as a program, for language hosts that run no folder: pulumi preview --policy-pack policy/pack.sh
set -eu
project=$(CDPATH='' cd -- "$(dirname -- "$(readlink -f -- "$0")")/.." && pwd)
python=$project/.venv/bin/python
[ -x "$python" ] || python=python3
# Unbuffered: the engine waits for the line with the port.
exec "$python" -u "$project/policy/__main__.py" "$@"
