"""Pulumi providers written in Python, for machines that cannot reach the server of the official plugins.

Each one does the real work of the provider that it stands in for, says in one line that it is a stand-in,
and is held to the real one's behaviour by `tests/contract`, which runs against either.
"""
