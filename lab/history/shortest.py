"""The shortest history that still shows a violation: delta debugging (Zeller and Hildebrandt, 2002) over whole lives, never over half of one."""

from lab.history.checker import Limits, Violation, check
from lab.history.record import History, Life


def shortest(history: History, violation: Violation, limits: Limits | None = None) -> History:
    """A part of the history with the same violation, from which no life can be taken away."""
    near = _near(history, violation)
    lives = near if _shows(near, history.end, violation, limits) else list(history.lives)
    parts = 2
    while len(lives) >= 2:
        size = max(1, len(lives) // parts)
        for start in range(0, len(lives), size):
            less = lives[:start] + lives[start + size :]
            if _shows(less, history.end, violation, limits):
                lives, parts = less, max(parts - 1, 2)
                break
        else:
            if size == 1:
                break
            parts = min(parts * 2, len(lives))
    return History(tuple(lives), history.end)


def meanwhile(history: History, shown: History) -> list[Life]:
    """What was done to the nodes and pods of a shortest history while it lasted, and half a minute before."""
    begin = min(life.begin for life in shown.lives) - 30
    end = max(life.until(shown.end) for life in shown.lives)
    return [one for one in history.of("action") if one.fault and begin <= one.begin <= end]


def _near(history: History, violation: Violation) -> list[Life]:
    """What has to do with the violation, so that the search starts small: same thing, same pod or same holder."""
    things = {life.what for life in violation.lives}
    pods = {life.pod for life in violation.lives if life.pod}
    return [one for one in history.lives if one.what in things or one.pod in pods or one.of in pods]


def _shows(lives: list[Life], end: float, violation: Violation, limits: Limits | None) -> bool:
    return any(one.key == violation.key for one in check(History(tuple(lives), end), limits))
