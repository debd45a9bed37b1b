"""Writes files of a node: JSON {path: content} on stdin; prints the paths that changed. Atomic, mode 0600 under /etc/kubernetes, else 0644."""

import json
import os
import sys

for path, content in sorted(json.load(sys.stdin).items()):
    try:
        with open(path) as file:
            if file.read() == content:
                continue
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".new", "w") as file:
        os.fchmod(file.fileno(), 0o600 if path.startswith("/etc/kubernetes/") else 0o644)
        file.write(content)
    os.replace(path + ".new", path)
    print(path)
