"""Whether variables mean anything to a release of Kubespray: Ansible ignores a misspelt one without a word."""

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
KINDS = {".yml", ".yaml", ".j2", ".py"}


def unknown(names: Iterable[str], variables: Mapping[str, Any], folder: Path) -> list[str]:
    """A sentence for each of the names that neither the playbooks nor another variable's value mentions."""
    texts = json.dumps(list(variables.values()))
    asked = [name for name in sorted(names) if not name.startswith("ansible_")]
    words = _words(folder) | set(WORD.findall(texts))
    found = []
    for name in asked:
        if name not in words:
            near = difflib.get_close_matches(name, words, 1, 0.8)
            found.append(
                f"kubespray.variables.{name}: nothing in this Kubespray uses it{f'; {near[0]} is near' if near else ''}"
            )
    return found


def _words(folder: Path) -> set[str]:
    """Every word of the playbooks, roles and plugins."""
    words: set[str] = set()
    for file in folder.rglob("*"):
        if file.suffix in KINDS and file.is_file() and "tests" not in file.relative_to(folder).parts[:1]:
            words.update(WORD.findall(file.read_text(encoding="utf-8", errors="replace")))
    return words
