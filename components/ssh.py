"""How the graph reaches nodes: the one place where connections are built and scripts become commands."""

import json
from collections.abc import Mapping, Sequence

import pulumi
from pulumi_command import remote

from model.nodes import Nodes
from render.host_keys import derive_host_key, public_key_of
from render.script import script

DIALS = 60
"""Tries to connect, 100 ms to 5 s apart: about four minutes, as long as a slow machine takes to boot."""


class Ssh:
    """Connections to the nodes of one site: key, pinned host keys, bastion.

    Connection changes alone (a new key, another bastion) run no command again: see `command`.
    """

    def __init__(
        self,
        site: str,
        nodes: Nodes,
        private_key: pulumi.Output[str],
        host_key_seed: pulumi.Output[str] | None,
        provider: pulumi.ProviderResource,
    ) -> None:
        self._nodes = nodes
        self._seed = host_key_seed
        self._site = site
        self._provider = provider
        self.private_key: pulumi.Output[str] = pulumi.Output.secret(private_key)

    @property
    def user(self) -> str:
        """The user that is logged in as."""
        return self._nodes.ssh.user

    @property
    def authorized_key(self) -> pulumi.Output[str]:
        """Public half of the private key."""
        return pulumi.Output.unsecret(self.private_key.apply(public_key_of))

    def made_host_key(self, node: str) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
        """Private and public host key of a machine that we make; the private one is a secret."""
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
        lines = [
            pulumi.Output.concat(_known_as(host.address, ssh.port), " ", self.host_key(name), "\n")
            for name, host in self._nodes.hosts.items()
        ]
        if ssh.bastion:
            lines.append(
                pulumi.Output.from_input(
                    f"{_known_as(ssh.bastion.host, ssh.bastion.port)} {ssh.bastion.host_key}\n",
                )
            )
        return pulumi.Output.concat(*lines)

    def connection(self, node: str) -> remote.ConnectionArgs:
        """The connection to a node."""
        host = self._nodes.hosts[node]
        return self.to(host.address, self._nodes.ssh.port, self.user, self.host_key(node))

    def to(self, host: str, port: int, user: str, host_key: pulumi.Input[str]) -> remote.ConnectionArgs:
        """The connection to any host that the site's key opens, through the site's bastion."""
        bastion = self._nodes.ssh.bastion
        return remote.ConnectionArgs(
            host=host,
            port=port,
            user=user,
            private_key=self.private_key,
            host_key=host_key,
            dial_error_limit=DIALS,
            per_dial_timeout=15,
            proxy=remote.ProxyConnectionArgs(
                host=bastion.host,
                port=bastion.port,
                user=bastion.user,
                private_key=self.private_key,
                host_key=bastion.host_key,
                dial_error_limit=DIALS,
                per_dial_timeout=15,
            )
            if bastion
            else None,
        )

    def shell(self, argument: str = "", *, minutes: int = 10) -> str:
        """A command line that runs a script from its standard input as root, with a time limit on the node itself.

        The provider's own time limits do not stop a command that runs on a node.
        """
        sudo = [] if self.user == "root" else ["sudo", "-n"]
        return " ".join([*sudo, "timeout", "-k", "10", str(minutes * 60), "sh", "-s", *filter(None, [argument])])

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
    ) -> remote.Command:
        """A script of node/ run on a node: `node/<job>.sh` with its variables; `create` and `delete` are its argument.

        A change of any of `again_when` runs it again. Not by `triggers`: these replace, and so would run `delete` first.
        """
        stdin = pulumi.Output.all(variables=dict(variables), reasons=list(again_when)).apply(
            lambda given: script(job, {**given["variables"], **_again(given["reasons"])})
        )
        return remote.Command(
            name,
            connection=self.connection(node),
            create=self.shell(create),
            delete=None if delete is None else self.shell(delete),
            stdin=stdin,
            # Outputs are summaries and come with the resource; the log would show them twice.
            logging=remote.Logging.NONE,
            # The provider would pass the last output by SSH environment, which sshd refuses.
            add_previous_output_in_env=False,
            opts=pulumi.ResourceOptions.merge(
                opts,
                pulumi.ResourceOptions(
                    provider=self._provider,
                    delete_before_replace=delete is not None,
                    hide_diffs=["stdin"],
                ),
            ),
        )


def json_output(command: remote.Command) -> pulumi.Output[dict[str, object]]:
    """The last line of a command's output, which our scripts make JSON."""
    return command.stdout.apply(lambda text: dict(json.loads(text.strip().splitlines()[-1])) if text else {})


def _again(reasons: Sequence[str]) -> dict[str, str]:
    """The variable whose change alone runs a script again."""
    return {"AGAIN": " ".join(map(str, reasons))} if reasons else {}


def _known_as(host: str, port: int) -> str:
    return host if port == 22 else f"[{host}]:{port}"
