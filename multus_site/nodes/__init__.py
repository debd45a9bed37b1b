"""The nodes of a site: preflight, delivery of CNI plugins, drift, topology."""
