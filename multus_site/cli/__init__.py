"""What people type: `multus-site COMMAND`. One module a command, registered in __main__."""
