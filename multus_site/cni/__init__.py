"""What CNI is: plugins, configurations, addresses as Go reads them. No site, no Pulumi, no I/O."""
