"""Runs commands as root. The password for sudo is sent on stdin before the command's own input, not in the command line, which every user of the host can read."""

import shlex

MARK = "multus-site: the password ends here"
_AFTER_MARK = f'while IFS= read -r line && [ "$line" != "{MARK}" ]; do :; done; exec '


def as_root(command: str, user: str, *, password: bool) -> str:
    """A command line that runs a simple command as root. With `password`, its input must begin with `prompted`.

    This works whether sudo asks for the password or not: the command line discards input up to the mark.
    """
    if user == "root":
        return command
    if not password:
        return f"sudo -n {command}"
    return f"sudo -S -p '' sh -c {shlex.quote(_AFTER_MARK + command)}"


def prompted(user: str, password: str) -> str:
    """The beginning of the input of such a command."""
    return f"{password}\n{MARK}\n" if password and user != "root" else ""
