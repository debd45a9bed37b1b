"""How the provider starts our own programs on the machine where Pulumi runs."""

# Constants, and no path of this machine in them: the provider runs them in the project's folder, and any change would run the program again.
_FOUND = 'p=.venv/bin/python; [ -x "$p" ] || p=python3; exec '

PYTHON = f'{_FOUND}"$p"'


def within(seconds: int, patience: int = 10) -> str:
    """The same, ended after so many seconds, and killed when it has not ended `patience` later."""
    return f'{_FOUND}timeout -k {patience} {seconds} "$p"'
