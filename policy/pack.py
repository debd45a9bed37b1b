"""All policies, and the pack that they make."""

import sys
from pathlib import Path

from pulumi_policy import EnforcementLevel, PolicyPack

from .clear_text import NO_PLAIN_SECRETS, SECRETS_ENCRYPTED
from .crossguard import made
from .host_keys import HOST_KEYS_PINNED
from .networks import FORBIDDEN_RANGES, HOST_LOCAL, MANAGEMENT_NIC
from .organisation import SettingsError, settings
from .pods import IMAGES_PINNED, RESOURCES_SET
from .protection import SITES_PROTECTED

POLICIES = (
    IMAGES_PINNED,
    HOST_KEYS_PINNED,
    NO_PLAIN_SECRETS,
    SECRETS_ENCRYPTED,
    HOST_LOCAL,
    MANAGEMENT_NIC,
    RESOURCES_SET,
    SITES_PROTECTED,
    FORBIDDEN_RANGES,
)


def run(file: Path) -> None:
    """Serve the policies to the pulumi CLI, with the settings of an organisation in `file`. Exits with a message if these are wrong."""
    try:
        organisation = settings(POLICIES, file)
    except SettingsError as error:
        sys.exit(str(error))
    PolicyPack("multus-site", [made(policy) for policy in POLICIES], EnforcementLevel.MANDATORY, organisation)
