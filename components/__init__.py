"""The graph of a site: one public Pulumi component a file."""
