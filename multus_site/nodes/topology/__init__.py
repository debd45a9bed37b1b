"""Labels and taints of nodes, from the site's racks."""
