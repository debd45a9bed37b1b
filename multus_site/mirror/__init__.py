"""A mirror for air-gapped sites: what a site needs, fetched into a folder that can be carried, verified, served."""
