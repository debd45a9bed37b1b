"""The secrets of a site that a command needs to reach its nodes: from the files that the site names, else from Pulumi."""

from pathlib import Path

from multus_site.cli.stacks import Stack
from multus_site.cli.usage_error import usage_error
from multus_site.render.host_keys import derive_host_key
from multus_site.ssh.ssh_route import Way, lacking, secrets_of
from multus_site.ssh.ssh_route import way as the_way


def way(stack: Stack) -> Way:
    """The way to the nodes. Exits 2 where nothing opens them."""
    ssh = stack.site.nodes.ssh
    secrets = secrets_of(ssh, lambda key, file: _secret(stack, key, file))
    if lack := lacking(ssh, secrets):
        usage_error(lack)
    return the_way(ssh, secrets)


def host_keys(stack: Stack) -> dict[str, str]:
    """Node → public host key: pinned in the site, or derived for machines that we make."""
    nodes = stack.site.nodes
    pinned = {name: host.host_key for name, host in nodes.hosts.items() if host.host_key is not None}
    if len(pinned) == len(nodes.hosts):
        return pinned
    seed = _secret(stack, "hostKeySeed", nodes.seed_file)
    if seed is None:
        usage_error(f"multus-site:hostKeySeed is not set in stack {stack.name}; see pulumi config")
    made = {name: derive_host_key(seed, stack.site.name, name).public for name in nodes.hosts if name not in pinned}
    return {**made, **pinned}


def _secret(stack: Stack, key: str, file: str | None) -> str | None:
    """A secret of the stack's configuration, else a file's content; None where there is neither."""
    done = stack.pulumi("config", "get", f"multus-site:{key}")
    if done.returncode == 0:
        return done.stdout
    if file is None:
        return None
    try:
        return Path(file).expanduser().read_text(encoding="utf-8")
    except OSError as error:
        usage_error(f"{file}, named by the site, cannot be read: {error.strerror}")
