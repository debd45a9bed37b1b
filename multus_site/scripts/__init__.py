"""POSIX sh for nodes and pods, one job a file."""

from pathlib import Path

FOLDER = Path(__file__).parent


def text(name: str) -> str:
    """The text of the script `name`.sh."""
    return (FOLDER / f"{name}.sh").read_text(encoding="utf-8")
