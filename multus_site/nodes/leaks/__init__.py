"""Finds, over SSH, what pods left behind on the nodes of a site, and gives it back."""
