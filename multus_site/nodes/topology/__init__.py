"""Labels and taints of nodes, as the site's racks say."""
