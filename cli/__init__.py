"""What people type: `python -m cli COMMAND`. One module a command, registered in __main__."""
