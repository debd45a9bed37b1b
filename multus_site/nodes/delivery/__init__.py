"""Builds or unpacks CNI plugin binaries on the machine that runs Pulumi, and sends them to the nodes over SSH."""
