"""Root on a host. sudo's password goes by stdin, before the command's own input: never in a command line, where anybody on the host would see it."""

import shlex

MARK = "multus-site: the password ends here"
_AFTER_MARK = f'while IFS= read -r line && [ "$line" != "{MARK}" ]; do :; done; exec '


def as_root(command: str, user: str, *, password: bool) -> str:
    """A command line that runs a simple command as root. With `password` its input begins with `prompted`.

    Whether sudo asks does not matter: what it did not take stands before the mark, and is thrown away.
    """
    if user == "root":
        return command
    if not password:
        return f"sudo -n {command}"
    return f"sudo -S -p '' sh -c {shlex.quote(_AFTER_MARK + command)}"


def prompted(user: str, password: str) -> str:
    """What such a command's input begins with."""
    return f"{password}\n{MARK}\n" if password and user != "root" else ""
