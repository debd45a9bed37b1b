"""The secrets of a site that a command needs to reach its nodes: from the files that the site names, else from Pulumi."""

from pathlib import Path

from cli.stacks import Stack
from cli.wrong_use import wrong_use
from render.host_keys import derive_host_key


def private_key(stack: Stack) -> str:
    """The SSH private key. Ends as for wrong use where there is none."""
    return _secret(stack, "sshPrivateKey", stack.site.nodes.ssh.private_key_file)


def host_keys(stack: Stack) -> dict[str, str]:
    """Node → public host key: pinned in the site, or derived for machines that we make."""
    nodes = stack.site.nodes
    pinned = {name: host.host_key for name, host in nodes.hosts.items() if host.host_key is not None}
    if len(pinned) == len(nodes.hosts):
        return pinned
    seed = _secret(stack, "hostKeySeed", nodes.seed_file)
    made = {name: derive_host_key(seed, stack.site.name, name).public for name in nodes.hosts if name not in pinned}
    return {**made, **pinned}


def _secret(stack: Stack, key: str, file: str | None) -> str:
    done = stack.pulumi("config", "get", f"multus-site:{key}")
    if done.returncode == 0:
        return done.stdout
    if file is None:
        wrong_use(f"multus-site:{key} is not set in stack {stack.name}; see pulumi config")
    try:
        return Path(file).expanduser().read_text(encoding="utf-8")
    except OSError as error:
        wrong_use(f"{file}, named by the site, cannot be read: {error.strerror}")
