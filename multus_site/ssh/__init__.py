"""SSH to hosts: logins, bastions, host keys, sudo, and work on many hosts at once."""
