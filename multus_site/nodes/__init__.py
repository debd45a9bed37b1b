"""What is known of the nodes of a site: preflight, delivery of binaries, drift, topology."""
