"""Stand-in for pulumi-command 1.2.1: the part of it that a site's program uses, over real SSH and real processes."""
