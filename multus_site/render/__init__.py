"""Text made from a site: pure functions, no Pulumi, no network."""
