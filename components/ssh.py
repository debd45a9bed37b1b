"""How the graph reaches nodes: the one place where connections are built and scripts become commands."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pulumi
from pulumi_command import remote

from multus_site.model.nodes import Nodes
from multus_site.model.ssh import Bastion
from multus_site.render.host_keys import derive_host_key, public_key_of
from multus_site.render.script import script
from multus_site.ssh.ssh_route import SUDO, keys_of, known_hosts, opened_by, ssh_route
from multus_site.ssh.sudo import as_root, prompted

from .local_program import LocalProgram, LocalProgramArgs, last_line

DIALS = 60
"""Tries to connect, 100 ms to 5 s apart: about four minutes, as long as a slow machine takes to boot."""

NodeCommand = remote.Command | LocalProgram
"""A command on a node; a local program if there are more bastions than pulumi-command supports (docs/decisions/0012-reaching-nodes.md)."""


class Ssh:
    """Connections to the nodes of one site: credentials, pinned host keys, bastions, root.

    A change of any of these is an update of every command, which runs once more and finds everything in place.
    """

    def __init__(
        self,
        site: str,
        nodes: Nodes,
        secrets: Mapping[str, pulumi.Output[str]],
        host_key_seed: pulumi.Output[str] | None,
        provider: pulumi.ProviderResource,
    ) -> None:
        """`secrets`: configuration key → credential of nodes or bastions (multus_site/ssh/ssh_route.py)."""
        self._nodes = nodes
        self._seed = host_key_seed
        self._site = site
        self._provider = provider
        self._secrets: dict[str, pulumi.Output[str]] = {
            key: pulumi.Output.secret(value) for key, value in secrets.items()
        }

    @property
    def user(self) -> str:
        """The user to log in as."""
        return self._nodes.ssh.user

    @property
    def route(self) -> pulumi.Output[dict[str, Any]]:
        """The route to the nodes, for programs (multus_site/ssh/ssh_route.py); a secret."""
        ssh = self._nodes.ssh
        there = pulumi.Output.all(secrets=dict(self._secrets))
        return pulumi.Output.secret(there.apply(lambda known: asdict(ssh_route(ssh, known["secrets"]))))

    @property
    def authorized_key(self) -> pulumi.Output[str]:
        """Public half of the private key."""
        private_key = self._secrets.get(keys_of("ssh")[0])
        if private_key is None:
            msg = "multus-site:sshPrivateKey is not set; machines that `up` creates get its public half. Type: pulumi config set --secret multus-site:sshPrivateKey < KEY_FILE"
            raise pulumi.RunError(msg)
        return pulumi.Output.unsecret(private_key.apply(public_key_of))

    def made_host_key(self, node: str) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
        """Private and public host key of a machine that `up` creates; the private one is a secret."""
        if self._seed is None:
            msg = (
                f"multus-site:hostKeySeed is not set; the host keys of {self._site}'s machines are derived from it. "
                "Set it with: openssl rand -hex 32 | pulumi config set --secret multus-site:hostKeySeed"
            )
            raise pulumi.RunError(msg)
        site = self._site
        seed: pulumi.Output[str] = pulumi.Output.secret(self._seed)
        public = seed.apply(lambda text: derive_host_key(text, site, node).public)
        return seed.apply(lambda text: derive_host_key(text, site, node).private), pulumi.Output.unsecret(public)

    def host_key(self, node: str) -> pulumi.Output[str]:
        """Public host key that the node must show."""
        pinned = self._nodes.hosts[node].host_key
        if pinned is not None:
            return pulumi.Output.from_input(pinned)
        return self.made_host_key(node)[1]

    @property
    def known_hosts(self) -> pulumi.Output[str]:
        """All pinned host keys, as OpenSSH's known_hosts."""
        ssh = self._nodes.ssh
        keys = pulumi.Output.all(**{host.address: self.host_key(name) for name, host in self._nodes.hosts.items()})
        return keys.apply(lambda known: known_hosts(ssh, known))

    def as_root(self, command: str) -> str:
        """A command line that runs a simple command as root; `run` passes sudo its password."""
        return as_root(command, self.user, password=SUDO in self._secrets)

    def shell(self, argument: str = "", *, minutes: int = 10) -> str:
        """A command line that runs a script from its standard input as root, with a time limit on the node itself.

        The provider's own time limits do not stop a command that runs on a node.
        """
        return self.as_root(" ".join(["timeout", "-k", "10", str(minutes * 60), "sh", "-s", *filter(None, [argument])]))

    def command(
        self,
        name: str,
        node: str,
        job: str,
        variables: Mapping[str, pulumi.Input[str]],
        *,
        create: str = "",
        delete: str | None = None,
        again_when: Sequence[pulumi.Input[str]] = (),
        opts: pulumi.ResourceOptions,
    ) -> NodeCommand:
        """Run multus_site/scripts/<job>.sh on a node, with its variables; `create` and `delete` are its argument.

        A change of any of `again_when` runs it again. They are not `triggers`, because these replace the resource and would run `delete` first.
        """
        stdin = pulumi.Output.all(variables=dict(variables), reasons=list(again_when)).apply(
            lambda given: script(job, {**given["variables"], **_again(given["reasons"])})
        )
        if delete is not None:
            removal = self.removal(f"{name}-removal", node, job, delete, variables, opts=opts)
            opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[removal]))
        return self.run(name, node, self.shell(create), stdin=stdin, opts=opts)

    def run(
        self,
        name: str,
        node: str,
        line: pulumi.Input[str],
        *,
        stdin: pulumi.Output[str] | None = None,
        opts: pulumi.ResourceOptions,
    ) -> NodeCommand:
        """Run a command line from `as_root` or `shell` on a node, with `stdin` as its standard input.

        pulumi-command reaches the node through at most one bastion; our own program reaches it through two.
        """
        user, password = self.user, self._secrets.get(SUDO)
        if password is not None and user != "root":
            both = pulumi.Output.all(password, stdin or "")
            prefixed: pulumi.Output[str] = both.apply(lambda known: prompted(user, known[0]) + known[1])
            stdin = pulumi.Output.secret(prefixed)
        opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(provider=self._provider))
        if len(self._nodes.ssh.bastions) < 2:
            return remote.Command(
                name,
                connection=self._connection(node),
                create=line,
                stdin=stdin,
                # Outputs are summaries and part of the resource; the log would repeat them.
                logging=remote.Logging.NONE,
                # The provider would pass the last output by SSH environment, which sshd refuses.
                add_previous_output_in_env=False,
                opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(hide_diffs=["stdin"])),
            )
        return LocalProgram(name, LocalProgramArgs("ssh", self._document(node, line=line, stdin=stdin or "")), opts)

    def removal(
        self,
        name: str,
        node: str,
        job: str,
        argument: str,
        variables: Mapping[str, pulumi.Input[str]],
        *,
        triggers: Sequence[pulumi.Input[str]] = (),
        opts: pulumi.ResourceOptions,
    ) -> LocalProgram:
        """Run multus_site/scripts/<job>.sh on the node when this resource is deleted, and not before; a change of any of `triggers` replaces it.

        It is separate from the command: with another number of bastions, the command has another type, and Pulumi deletes the old command after creating
        the new one, so its removal would remove what the new one just installed (docs/decisions/0012-reaching-nodes.md).
        """
        document = self._document(node, job=job, argument=argument, variables=dict(variables))
        return LocalProgram(
            name,
            LocalProgramArgs("ssh", document, create=None, delete="", triggers=triggers),
            pulumi.ResourceOptions.merge(
                opts, pulumi.ResourceOptions(provider=self._provider, delete_before_replace=True)
            ),
        )

    def _document(self, node: str, **asked: Any) -> pulumi.Output[dict[str, Any]]:  # noqa: ANN401  # inputs of any shape
        """The document of our own program (multus_site/ssh/__main__.py)."""
        return pulumi.Output.all(
            way=self.route, address=self._nodes.hosts[node].address, host_key=self.host_key(node), **asked
        )

    def _connection(self, node: str) -> remote.ConnectionArgs:
        host = self._nodes.hosts[node]
        return self.to(host.address, self._nodes.ssh.port, self.user, self.host_key(node))

    def to(self, host: str, port: int, user: str, host_key: pulumi.Input[str]) -> remote.ConnectionArgs:
        """A pulumi-command connection to any host with the nodes' credentials, through at most one bastion."""
        ssh = self._nodes.ssh
        private_key, password = (self._secrets.get(key) for key in keys_of("ssh"))
        return remote.ConnectionArgs(
            host=host,
            port=port,
            user=user,
            private_key=private_key,
            password=password,
            host_key=host_key,
            dial_error_limit=DIALS,
            per_dial_timeout=15,
            proxy=self._proxy(*ssh.bastions) if ssh.bastions else None,
        )

    def _proxy(self, bastion: Bastion) -> remote.ProxyConnectionArgs:
        private_key, password = (self._secrets.get(key) for key in keys_of(opened_by(0, self._secrets)))
        return remote.ProxyConnectionArgs(
            host=bastion.host,
            port=bastion.port,
            user=bastion.user,
            private_key=private_key,
            password=password,
            host_key=bastion.host_key,
            dial_error_limit=DIALS,
            per_dial_timeout=15,
        )


def json_output(command: NodeCommand) -> pulumi.Output[Any]:
    """The JSON on the last line of a script's output."""
    # The provider marks the output secret because the input is. Scripts print no secrets.
    stdout: pulumi.Output[str] = pulumi.Output.unsecret(command.stdout)
    return stdout.apply(lambda text: dict(last_line(text)) if text else {})


def _again(reasons: Sequence[str]) -> dict[str, str]:
    """The variable whose change alone runs a script again."""
    return {"AGAIN": " ".join(map(str, reasons))} if reasons else {}
