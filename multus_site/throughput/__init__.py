"""Measure networks between nodes with iperf3, and compare them with the pod network and the bare nodes."""
