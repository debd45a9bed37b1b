"""All policies."""

from policy.clear_text import NO_PLAIN_SECRETS, SECRETS_ENCRYPTED
from policy.host_keys import HOST_KEYS_PINNED
from policy.networks import FORBIDDEN_RANGES, HOST_LOCAL, MANAGEMENT_NIC
from policy.pods import IMAGES_PINNED, RESOURCES_SET
from policy.protection import SITES_PROTECTED

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
