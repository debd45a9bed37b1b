#!/bin/sh
# SSH_ASKPASS: the only way to give OpenSSH a password.
exec cat "$MULTUS_SITE_PASSWORD_FILE"
