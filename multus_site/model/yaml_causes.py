"""Why a text is not YAML: the place of the cause, not of where the parser gave up, in words of the person who writes the file."""

import re
from dataclasses import dataclass

import yaml

OTHER = "{other}"
"""Stands in a message for the number of a second line."""

_OPEN = {yaml.FlowMappingStartToken: "{", yaml.FlowSequenceStartToken: "["}
_CLOSED = (yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)
_OTHER = {"{": "}", "[": "]"}
_CHECK = "check quotes, brackets, colons and indentation"
_REVERSED = re.compile(r":[ ]+([-+][|>])[ ]*$")
_KEY_WITHOUT_SPACE = re.compile(r"(?:- +)*[\w./-]+:[^\s:]")


@dataclass(frozen=True)
class Cause:
    """What is wrong, what would be right, and the place (from 1)."""

    what: str
    right: str
    line: int
    column: int
    other: int | None = None
    """The line that OTHER stands for."""


def cause_of(text: str, error: yaml.MarkedYAMLError, loader: type) -> Cause:
    """The cause of a parser's error; in the parser's words where no cause is known."""
    problem, context = error.problem or "", error.context or ""
    end = error.problem_mark or error.context_mark
    if end is None:
        return Cause(problem, _CHECK, 1, 1)
    lines = [*text.split("\n"), ""]
    seen = _Seen(text, lines, (end.line, end.column), loader)
    start = error.context_mark or end
    for number, line in enumerate(lines[: end.line]):
        if sign := _REVERSED.search(line):
            what = f"{sign[1]} begins no block of text"
            return seen.at(number, sign.start(1), what, f"write {sign[1][::-1]} instead of {sign[1]}")
    if "\t" in seen.indentation:
        return seen.at(end.line, 0, "a tab in the indentation", "indent with spaces: YAML does not allow tabs")
    if "quoted scalar" in context and "end of stream" in problem:
        return seen.at(start.line, start.column, "the quote that opens here is never closed", "close it")
    if "escape" in problem:
        what = f"{lines[end.line][end.column : end.column + 2]} is not an escape in double quotes"
        return seen.at(end.line, end.column, what, "write the text in single quotes")
    if "alias" in problem or "alias" in context or "anchor" in context or "cannot start" in problem:
        return seen.odd_beginning(start if context else end)
    if seen.brackets:
        return seen.open_bracket()
    if "node content" in problem:
        return seen.odd_beginning(end)
    if (started := seen.long_quote()) is not None:
        return seen.at(*started, "the quote that opens here closes on another line", "close it on its own line")
    if "mapping values" in problem or ("document start" in problem and seen.is_text):
        return seen.second_value()
    if "sequence entries" in problem:
        return seen.at(end.line, end.column, "a list begins on the line of its key", "begin it on the next line")
    if "expected ':'" in problem:
        return seen.at(start.line, start.column, f"no colon after {_short(lines[start.line])}", "write key: value")
    return seen.misplaced(error)


class _Seen:
    """A text up to the place where the parser gave up: the brackets that are open there, and its last text."""

    def __init__(self, text: str, lines: list[str], end: tuple[int, int], loader: type) -> None:
        self.lines, self.end = lines, end
        self.brackets: list[tuple[str, int, int]] = []
        self.last: yaml.ScalarToken | None = None
        line = lines[end[0]]
        self.indentation = line[: len(line) - len(line.lstrip())]
        try:
            for token in yaml.scan(text, Loader=loader):
                if (token.start_mark.line, token.start_mark.column) >= end:
                    break
                self._take(token)
        except yaml.YAMLError:
            pass  # the error whose cause this is

    @property
    def is_text(self) -> bool:
        """Whether what is complete before the end is one text, not keys."""
        return self.last is not None and not any(re.search(r":(\s|$)", line) for line in self.lines[: self.end[0]])

    def _take(self, token: yaml.Token) -> None:
        if type(token) in _OPEN:
            self.brackets.append((_OPEN[type(token)], token.start_mark.line, token.start_mark.column))
        elif isinstance(token, _CLOSED) and self.brackets:
            self.brackets.pop()
        elif isinstance(token, yaml.ScalarToken):
            self.last = token

    @staticmethod
    def at(line: int, column: int, what: str, right: str, other: int | None = None) -> Cause:
        return Cause(what, right, line + 1, column + 1, None if other is None else other + 1)

    def odd_beginning(self, mark: yaml.Mark) -> Cause:
        """A text that begins with a character that means something else, such as * or @."""
        rest = self.lines[mark.line][mark.column :]
        first = rest[:1]
        if first == "*" and rest[1:2].isalnum():
            name = re.match(r"\*[\w-]+", rest)
            what = f"{name.group() if name else first} refers to an anchor that is not there"
            return self.at(mark.line, mark.column, what, "write the text in quotes, or add the anchor")
        what = f"a text cannot begin with {first}"
        return self.at(mark.line, mark.column, what, f'write it in quotes, such as "{first}"')

    def open_bracket(self) -> Cause:
        bracket, line, column = self.brackets[-1]
        what = f"the {bracket} that opens here is not closed"
        return self.at(line, column, what, f"write {_OTHER[bracket]} where it ends, and commas between its entries")

    def long_quote(self) -> tuple[int, int] | None:
        """Where a quote opens whose text goes over several lines and ends where the parser gave up."""
        last = self.last
        if last is None or last.style not in {"'", '"'} or last.start_mark.line == last.end_mark.line:
            return None
        return (last.start_mark.line, last.start_mark.column) if last.end_mark.line == self.end[0] else None

    def second_value(self) -> Cause:
        """A colon where no key can be: the line above is no key, or has a value already, or this line has two colons."""
        line, column = self.end
        if re.search(r":\s", self.lines[line][:column]) or self.last is None:
            return self.at(
                line, column, "a second colon on this line", "write the value in quotes, or begin a new line"
            )
        above = next(
            (i for i in range(line - 1, -1, -1) if self.lines[i].strip() and self.lines[i].lstrip()[0] != "#"), line
        )
        before = self.lines[above].strip()
        indented = len(self.lines[above]) - len(self.lines[above].lstrip())
        if re.search(r":\s", before):
            key = before.removeprefix("- ").partition(":")[0]
            what = f"this line is indented as a part of {key!r} on line {OTHER}, which has a value already"
            right = f"indent it like {key!r}, or remove the value there"
            return self.at(line, len(self.indentation), what, right, above)
        if _KEY_WITHOUT_SPACE.match(before):
            return self.at(above, indented + before.index(":"), "no space after the colon", "write key: value")
        return self.at(above, indented, f"no colon after {_short(before)}", "write key: value")

    def misplaced(self, error: yaml.MarkedYAMLError) -> Cause:
        """A line that belongs to nothing: its indentation fits no line above, or it is a key in a list, or a list entry among keys."""
        line, column = self.end
        context, rest = error.context or "", self.lines[line][column:].strip()
        began = error.context_mark
        above = {len(text) - len(text.lstrip()) for text in self.lines[:line] if text.strip()}
        if column != len(self.indentation) and rest and "while parsing a block" in context:
            return self.at(line, column, f"{_short(rest)} after the end of a value", "write the whole value in quotes")
        if began and rest.startswith("- ") and "mapping" in context:
            what = f"a list entry among the keys that begin on line {OTHER}"
            return self.at(line, column, what, "indent it below its key, or write key: value", began.line)
        if began and "collection" in context and column == began.column:
            what = f"not an entry of the list that begins on line {OTHER}"
            return self.at(line, column, what, "begin it with -, or indent it like the key of the list", began.line)
        if column == len(self.indentation) and column not in above:
            what = f"indented by {column} spaces, which fits no line above"
            levels = ", ".join(map(str, sorted(above)))
            return self.at(line, column, what, f"indent it like the lines that it belongs to ({levels} spaces)")
        return self.at(line, column, f"{context}: {error.problem}".removeprefix(": "), _CHECK)


def _short(text: str) -> str:
    text = text.strip()
    return repr(text if len(text) <= 30 else text[:29] + "…")
