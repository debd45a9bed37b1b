"""How hosts are reached over SSH, for everything that reaches any: what opens them, the bastions on the way, root on arrival."""
