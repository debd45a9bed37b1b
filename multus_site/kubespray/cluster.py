"""One cluster: its document, its record and the means to change it."""

import os
from collections.abc import Iterable
from contextlib import ExitStack
from typing import Any

from multus_site.kubespray import environment, source
from multus_site.kubespray.document import Document, KubesprayError
from multus_site.kubespray.folders import Workplace
from multus_site.kubespray.plan import NO_PROMPTS, PlaybookRun, as_applied, in_order, leaving, plan
from multus_site.kubespray.progress import say
from multus_site.kubespray.record import ON_NODE, Record, from_pulumi, newest
from multus_site.kubespray.run import Runner
from multus_site.kubespray.variable_checks import check_names
from multus_site.ssh.fan_out import fan_out_blocking
from multus_site.ssh.openssh import Shell, explained
from multus_site.ssh.ssh_route import ReachError

LOGIN_SECONDS = 120
"""Time for one host; the shell gives up before."""

MULTUS = "daemonset.apps/kube-multus-ds-"
"""How Kubespray calls its Multus: with the architecture behind (roles/network_plugin/multus). Ours is kube-multus-ds."""

LOOK = """\
export KUBECONFIG=/etc/kubernetes/admin.conf PATH="$PATH:/usr/local/bin:/opt/bin"
[ ! -e "$KUBECONFIG" ] || kubectl --request-timeout=15s get daemonsets -n kube-system -o name 2>/dev/null || true
"""


class Cluster:
    """A cluster of a site, held for one run: its folder is locked, and what opens its hosts is there."""

    def __init__(self, document: Document, stack: ExitStack) -> None:
        self.document = document
        self.workplace = Workplace.for_site(document.site)
        lock = stack.enter_context(self.workplace.lock())
        local = newest(document.site, [from_pulumi(), self.workplace.store.read()])
        secrets = self.workplace.open(document, document.known_hosts)
        stack.callback(secrets.remove)
        self.shell = Shell(document.way, self.workplace.keys, self.workplace.known_hosts)
        # Where this machine knows nothing of the cluster, any control plane node may be its first and hold the record.
        known = local.applied.groups["kube_control_plane"] if local.applied else ()
        control_planes = in_order(known, document.groups["kube_control_plane"])
        asked = control_planes[:1] if local.applied else control_planes
        self.record = newest(document.site, [local, *(self._on_node(document.hosts[host]) for host in asked)])
        applied = self.record.applied
        before = "".join(state.known_hosts for state in (self.record.begun, applied) if state)
        self.workplace.known_hosts.write_text(with_keys_of_leavers(document.known_hosts, before))
        control_planes = in_order(applied.groups["kube_control_plane"] if applied else (), control_planes)
        self.first = document.hosts[control_planes[0]]
        found = source.find(document.version, document.origin)
        say(found.told)
        if found.real and (unknown := check_names(document.own, document.variables, found.folder)):
            raise KubesprayError("\n".join(unknown))
        python = environment.ansible(found)
        self.runner = Runner(found, python, self.workplace, secrets, self.shell, lock, say)

    def apply(self) -> None:
        """Runs what the plan says; keeps the record after each run."""
        if self.record.attempted:
            say(f"the last run did not finish ({self.record.attempted}): carrying on")
        applied = self.record.applied
        runs = plan(
            applied,
            self.document,
            dead=self._dead(),
            attempted=self.record.attempted,
            begun=self.record.begun,
            half_made=applied is None and self.record.attempted is not None and self._has_no_network(),
        )
        refuse_other_multus(self.shell, self.first)
        self._reach({host for run in runs for host in run.hosts} & set(self.document.hosts))
        hosts = {**self._earlier(), **self.document.hosts}
        for run in runs:
            self._run(run, hosts)
        if runs:
            refuse_other_multus(self.shell, self.first)
        self.record = self.record.succeeded(as_applied(self.document, self.record.applied))
        self._keep()
        # As the site is now, for playbooks of somebody's own: the last run's knows nobody whom it was not for, nor a new rack.
        order = as_applied(self.document, self.record.applied).groups
        self.runner.write_inventory(order, self.document, self.document.hosts)
        print(self.record.to_json(), flush=True)

    def destroy(self) -> None:
        """Resets the nodes, which outlive the cluster."""
        document = self.document
        order = as_applied(document, self.record.applied)
        self._reach(set(document.hosts))
        self._run(
            PlaybookRun("reset.yml", order.groups, "the cluster is destroyed", None, extra=NO_PROMPTS), document.hosts
        )
        self.shell.run(self.first, f"rm -f {ON_NODE}")
        self.workplace.store.remove()

    def _run(self, run: PlaybookRun, hosts: dict[str, dict[str, Any]]) -> None:
        """One playbook. `hosts`: variables of all hosts that may be in it."""
        self.record = self.record.started(run.playbook, run.leaver or run.after)
        self._keep()
        self.runner.run(run, self.document, hosts)
        self.record = self.record.succeeded(run.after)
        self._keep()

    def _earlier(self) -> dict[str, dict[str, Any]]:
        """Hosts of the cluster, and of the one that an unfinished run would have led to, with their variables."""
        known = (self.record.begun, self.record.applied)
        return {host: variables for state in known if state for host, variables in state.hosts.items()}

    def _dead(self) -> frozenset[str]:
        """Hosts that leave the cluster and don't answer any more."""
        there = self._earlier()
        stay = self.record.applied.hosts if self.record.applied else {}
        out = leaving(self.record.applied, self.document) if self.record.applied else []
        asked = [*out, *(host for host in there if host not in stay and host not in self.document.hosts)]
        return frozenset(self._logins({host: there[host] for host in asked}))

    def _reach(self, hosts: Iterable[str]) -> None:
        """Raises KubesprayError, before anything is changed anywhere, for every host that can't be logged in to or shows another key."""
        there = self.document.hosts
        if failed := self._logins({host: there[host] for host in sorted(hosts)}):
            raise KubesprayError("\n".join(self._unreached(there[host], host, why) for host, why in failed.items()))

    def _logins(self, hosts: dict[str, dict[str, Any]]) -> dict[str, str]:
        """Tries to log in to hosts: those that fail, with what SSH said."""

        def login(_: str, host: dict[str, Any]) -> None:
            done = self.shell.run(host, "true")
            if done.returncode:
                raise ReachError(done.stderr)

        failed = fan_out_blocking(hosts, login, LOGIN_SECONDS).failed
        return {host: str(error) for host, error in failed.items()}

    def _unreached(self, host: dict[str, Any], called: str, why: str) -> str:
        return f"{called} can't be logged in to: {explained(why.strip())[-600:]}\nTo try it: {self.shell.by_hand(host)}"

    def _has_no_network(self) -> bool:
        """Whether the first control plane node has a control plane but no pod network."""
        probe = "test -e /etc/kubernetes/admin.conf && ! ls /etc/cni/net.d/*.conf* >/dev/null 2>&1"
        return self.shell.run(self.first, probe).returncode == 0

    def _keep(self) -> None:
        """Writes the record here and on the first control plane node; that copy is for another machine, and may wait."""
        self.workplace.store.write(self.record)
        new = f"{ON_NODE}.new"
        command = f"mkdir -p {os.path.dirname(ON_NODE)} && umask 077 && cat > {new} && mv {new} {ON_NODE}"  # noqa: PTH120 # a path on the node
        self.shell.run(self.first, command, self.record.to_json() + "\n")

    def _on_node(self, host: dict[str, Any]) -> Record | None:
        """The record on a control plane node. Raises KubesprayError if that doesn't answer: nothing could go on."""
        done = self.shell.run(host, f"cat {ON_NODE} 2>/dev/null || true")
        if done.returncode:
            called = f"the control plane node {host['ansible_host']}"
            raise KubesprayError(self._unreached(host, called, done.stderr))
        return Record.from_json(done.stdout)


def with_keys_of_leavers(known_hosts: str, before: str) -> str:
    """Pinned keys, and the earlier ones of hosts that left: those are reached once more. Never an old key of a host that stays."""
    names = {line.split()[0] for line in known_hosts.splitlines() if line.strip()}
    old = [line for line in before.splitlines() if line.strip() and line.split()[0] not in names]
    return "".join(f"{line}\n" for line in dict.fromkeys([*known_hosts.splitlines(), *old]))


def refuse_other_multus(shell: Shell, control_plane: dict[str, Any]) -> None:
    """Raises KubesprayError where Kubespray's own Multus is in the cluster, by whomever. A cluster that does not answer has none to speak of."""
    names = [line for line in shell.run(control_plane, LOOK).stdout.split() if line.startswith(MULTUS)]
    if names:
        found = ", ".join(name.removeprefix("daemonset.apps/") for name in names)
        msg = (
            f"the cluster has Kubespray's own Multus (DaemonSet {found} in kube-system; kube_network_plugin_multus was on). It and the site's would "
            f"write the same 00-multus.conf. Turn it off where it was turned on, and take it away: "
            f"kubectl -n kube-system delete {' '.join(names)}; then pulumi up"
        )
        raise KubesprayError(msg)
