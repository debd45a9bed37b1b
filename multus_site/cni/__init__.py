"""CNI: plugins, configurations, and addresses as Go reads them. No Pulumi, no I/O."""
