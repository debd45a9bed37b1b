"""Verify that pods have the interfaces, addresses and gateways that a site asks for."""
