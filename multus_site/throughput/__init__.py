"""How fast networks are between nodes, measured with iperf3 and held against the pod network and the bare nodes."""
