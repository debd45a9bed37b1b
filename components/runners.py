"""How the provider starts our own programs on the machine where Pulumi runs."""

# A constant, and no path of this machine in it: the provider runs it in the project's folder, and any change would run the program again.
PYTHON = 'p=.venv/bin/python; [ -x "$p" ] || p=python3; exec "$p"'
