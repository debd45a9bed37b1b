"""POSIX sh for nodes and pods, one job a file. A line `# include: NAME` stands for the file NAME.sh (multus_site/render/script.py)."""

from pathlib import Path

FOLDER = Path(__file__).parent


def text(name: str) -> str:
    """The text of the script `name`.sh."""
    return (FOLDER / f"{name}.sh").read_text(encoding="utf-8")
