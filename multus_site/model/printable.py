"""Text of other people for messages: nothing in it can end a line, move a cursor or change the direction of what follows.

Annotations, logs, LLDP frames, file names and answers of programs are such text. Standard library only: pods run this too.
"""

from multus_site.model.paths import Data

LONGEST = 200
"""Maximum length of a quoted line."""


def printable(text: str, *, lines: bool = False) -> str:
    """The text with an escape for each character that terminals and logs obey; `lines` keeps line ends and tabs.

    `str.isprintable` is false for control characters, for marks of direction (U+202E) and for half characters.
    """
    kept = "\n\t" if lines else ""
    return "".join(c if c.isprintable() or c in kept else c.encode("unicode_escape").decode() for c in text)


def cleaned(data: Data) -> Data:
    """Plain data of other people, each text in it printable; lines stay."""
    if isinstance(data, str):
        return data if data.isprintable() else printable(data, lines=True)
    if isinstance(data, list):
        return [cleaned(item) for item in data]
    if isinstance(data, dict):
        return {printable(str(key)): cleaned(value) for key, value in data.items()}
    return data


def short(text: str, longest: int = LONGEST) -> str:
    """The text in one printable line, cut if it is long."""
    return printable(text if len(text) <= longest else f"{text[:longest]}…")


def first_line(text: str) -> str:
    """The first line that is not blank, quoted, for a message; "nothing" if there is none."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    if not line:
        return "nothing"
    return repr(line if len(line) <= LONGEST else f"{line[:LONGEST]}…")
