"""A finding: what a rule found, and where."""

from dataclasses import asdict, dataclass
from typing import Literal

Level = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One finding. `document`, `line` and `column` count from 1; `path` is written as in `spec.config.ipam.ranges[0]`."""

    file: str
    document: int
    line: int
    column: int
    path: str
    rule: str
    level: Level
    message: str
    hint: str

    def data(self) -> dict[str, str | int]:
        """The finding as an entry of the JSON report."""
        fields = asdict(self)
        return {
            key: fields[key]
            for key in ("file", "document", "path", "line", "column", "rule", "level", "message", "hint")
        }

    def line_of_text(self) -> str:
        """The finding on one line, in the form of the program's errors."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.path}: {self.message} ({self.rule}). {self.hint}"
