"""Writes files of a node: JSON {path: content} on stdin; prints the paths that changed. Atomic; 0600 under /etc/kubernetes, else 0644."""

import json
import sys
from pathlib import Path

for name, content in sorted(json.load(sys.stdin).items()):
    path = Path(name)
    if path.exists() and path.read_text() == content:
        continue
    path.parent.mkdir(parents=True, exist_ok=True)
    new = Path(name + ".new")
    new.touch()
    new.chmod(0o600 if name.startswith("/etc/kubernetes/") else 0o644)
    new.write_text(content)
    new.replace(path)
    print(path)
