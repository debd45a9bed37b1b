"""Faults by what they break. Importing this package registers all of them, in the order of the table."""

from lab.faults.kinds import links, plugins, daemons, cluster, left_behind, runs  # noqa: F401, I001 - the order of the table
