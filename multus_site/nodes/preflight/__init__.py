"""Preflight: what is found on the hosts, judged before anything of the cluster is put on them, all findings at once."""
