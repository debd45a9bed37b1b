"""What is no longer as it was applied, found on the nodes themselves over SSH."""
