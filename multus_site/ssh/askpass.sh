#!/bin/sh
# What OpenSSH asks for a password: it cannot be told one in any other way.
exec cat "$MULTUS_SITE_PASSWORD_FILE"
