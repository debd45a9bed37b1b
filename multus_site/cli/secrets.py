"""Secrets that a command needs to reach the nodes of a site: from Pulumi, else from the files that the site names."""

from pathlib import Path

from multus_site.cli.stacks import Stack
from multus_site.cli.usage_error import usage_error
from multus_site.render.host_keys import derive_host_key
from multus_site.ssh.ssh_route import SshRoute, lacking, secrets_of, ssh_route


def route(stack: Stack) -> SshRoute:
    """The SSH route to the nodes. Exits 2 if there are no credentials."""
    ssh = stack.site.nodes.ssh
    secrets = secrets_of(ssh, lambda key, file: _secret(stack, key, file))
    if lack := lacking(ssh, secrets):
        usage_error(lack)
    return ssh_route(ssh, secrets)


def host_keys(stack: Stack) -> dict[str, str]:
    """Node → public host key: pinned in the site, or derived for machines that the site creates."""
    nodes = stack.site.nodes
    pinned = {name: host.host_key for name, host in nodes.hosts.items() if host.host_key is not None}
    if len(pinned) == len(nodes.hosts):
        return pinned
    seed = _secret(stack, "hostKeySeed", nodes.seed_file)
    if seed is None:
        usage_error(f"multus-site:hostKeySeed is not set in stack {stack.name}; docs/secrets.md says how to set it")
    made = {name: derive_host_key(seed, stack.site.name, name).public for name in nodes.hosts if name not in pinned}
    return {**made, **pinned}


def _secret(stack: Stack, key: str, file: str | None) -> str | None:
    """A secret of the stack's configuration, else a file's content; None if there is neither."""
    done = stack.pulumi("config", "get", f"multus-site:{key}")
    if done.returncode == 0:
        return done.stdout
    if file is None:
        return None
    try:
        return Path(file).expanduser().read_text(encoding="utf-8")
    except OSError as error:
        usage_error(f"{file}, named by the site, cannot be read: {error.strerror}")
