"""Mirrors for air-gapped sites: list what a site needs, fetch it into a folder, verify the folder, and serve it."""
