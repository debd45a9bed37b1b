"""Finds, over SSH, what on the nodes no longer matches what was applied."""
