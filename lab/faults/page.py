"""The table of the campaign in docs/verification.md, between its markers."""

from collections.abc import Sequence
from pathlib import Path

from lab.faults.campaign import Row

BEGIN, END = "<!-- written by make lab-faults -->", "<!-- end of faults -->"


def table(rows: Sequence[Row]) -> str:
    """The rows as Markdown."""
    lines = ["| fault | what is reported while it lasts | after it | lost |", "| --- | --- | --- | --- |"]
    for row in rows:
        said = "<br>".join(_answer(answer.command, answer.line, answer.wrong) for answer in row.answers)
        after = row.error or row.after
        lost = "<br>".join(_code(one) for one in row.lost) or "nothing"
        lost += f"; {row.returned} given back by a later `up`" if row.returned else ""
        mark = "" if not row.wrong else " ✗"
        lines.append(f"| {row.what}{mark} | {said or f'nothing: {row.why_silent}'} | {_text(after)} | {lost} |")
    return "\n".join(lines)


def write(page: Path, rows: Sequence[Row]) -> None:
    """Puts the table between the markers. Raises ValueError for a page without them."""
    text = page.read_text(encoding="utf-8")
    before, begun, rest = text.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not begun or not ended:
        msg = f"{page} has no {BEGIN} … {END}"
        raise ValueError(msg)
    page.write_text(f"{before}{BEGIN}\n\n{table(rows)}\n\n{END}{after}", encoding="utf-8")


def _answer(command: str, line: str, wrong: str) -> str:
    return f"{command}: {_code(line)}{f' ✗ {_text(wrong)}' if wrong else ''}"


def _code(text: str) -> str:
    """Text of a command, in a cell: no character of it ends the cell or the code."""
    return "`" + text.replace("`", "'").replace("|", "\\|") + "`"


def _text(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
