"""Apply or destroy one cluster: its document, its record and its hosts."""

import os
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from multus_site.kubespray import environment, source
from multus_site.kubespray.document import Document, KubesprayError
from multus_site.kubespray.folders import Workplace
from multus_site.kubespray.plan import NO_PROMPTS, PlaybookRun, as_applied, in_order, leaving, plan, with_member_names
from multus_site.kubespray.progress import say
from multus_site.kubespray.record import ON_NODE, Record, from_pulumi, newest
from multus_site.kubespray.run import Runner
from multus_site.kubespray.takeover import TAKEN_OVER, taken_over
from multus_site.kubespray.variable_checks import check_names
from multus_site.ssh.fan_out import fan_out_blocking
from multus_site.ssh.openssh import Shell, explained
from multus_site.ssh.ssh_route import ReachError

LOGIN_SECONDS = 120
"""Time limit for one host. SSH times out earlier."""

MULTUS = "daemonset.apps/kube-multus-ds-"
"""Prefix of Kubespray's own Multus; the architecture follows (roles/network_plugin/multus). Ours is kube-multus-ds."""

LOOK = """\
export KUBECONFIG=/etc/kubernetes/admin.conf PATH="$PATH:/usr/local/bin:/opt/bin"
[ ! -e "$KUBECONFIG" ] || kubectl --request-timeout=15s get daemonsets -n kube-system -o name 2>/dev/null || true
"""


class Cluster:
    """The cluster of a site during one run, which holds the lock of the working folder and the credentials of the hosts."""

    def __init__(self, document: Document, stack: ExitStack) -> None:
        self.document = document
        self.workplace = Workplace.for_site(document.site)
        lock = stack.enter_context(self.workplace.lock())
        local = newest(document.site, [from_pulumi(), self.workplace.store.read()])
        secrets = self.workplace.open(document, document.known_hosts)
        stack.callback(secrets.remove)
        self.shell = Shell(document.route, self.workplace.keys, self.workplace.known_hosts)
        # Without a local record, any control plane node may be the first and hold the record.
        joined = local.applied.groups["kube_control_plane"] if local.applied else ()
        control_planes = in_order(joined, document.groups["kube_control_plane"])
        holders = control_planes[:1] if local.applied else control_planes
        self.record = newest(document.site, [local, *(self._on_node(document.hosts[host]) for host in holders)])
        applied = self.record.applied
        before = "".join(state.known_hosts for state in (self.record.begun, applied) if state)
        self.workplace.known_hosts.write_text(with_keys_of_leavers(document.known_hosts, before))
        control_planes = in_order(applied.groups["kube_control_plane"] if applied else (), control_planes)
        self.first = document.hosts[control_planes[0]]
        kubespray = source.find(document.version, document.origin)
        say(kubespray.description)
        if kubespray.real and (unknown := check_names(document.own, document.variables, kubespray.folder)):
            raise KubesprayError("\n".join(unknown))
        python = environment.ansible(kubespray)
        self.runner = Runner(kubespray, python, self.workplace, secrets, self.shell, lock, say)

    def apply(self) -> None:
        """Runs the plan, and writes the record after each playbook."""
        if self.record.applied is None and self.document.adopted:
            self._take_over()
        if self.record.attempted:
            say(f"the last run did not finish ({self.record.attempted}); continuing")
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
        # For playbooks that people run themselves: the inventory of the last run may lack hosts and new racks.
        whole = as_applied(self.document, self.record.applied)
        self.runner.write_inventory(whole.groups, self.document, whole.hosts)
        print(self.record.printed(), flush=True)

    def destroy(self) -> None:
        """Resets the nodes and removes the record. The nodes outlive the cluster; so does a cluster that was taken over."""
        document = self.document
        if document.adopted:
            self._let_go()
            return
        order = as_applied(document, self.record.applied)
        self._reach(set(document.hosts))
        self._run(
            PlaybookRun("reset.yml", order.groups, "the cluster is destroyed", None, extra=NO_PROMPTS), document.hosts
        )
        self.shell.run(self.first, f"rm -f {ON_NODE}")
        self.workplace.store.remove()

    def _take_over(self) -> None:
        """Records a running cluster as applied, if it is what the site says. A run that is killed before has changed nothing."""
        applied = taken_over(self.document, self.shell)
        self.first = self.document.hosts[applied.groups["kube_control_plane"][0]]
        self.record = replace(self.record, runs=self.record.runs + 1).succeeded(applied)
        self._keep()
        say(TAKEN_OVER)

    def _let_go(self) -> None:
        """Removes the record, and says what stays."""
        self.shell.run(self.first, f"rm -f {ON_NODE}")
        self.workplace.store.remove()
        say(
            f"the cluster was taken over (kubespray.adopted), so it is not reset: {', '.join(self.document.hosts)} keep running it. "
            "To reset it too: remove adopted from the site, `pulumi up`, `pulumi destroy`"
        )

    def _run(self, run: PlaybookRun, hosts: dict[str, dict[str, Any]]) -> None:
        """Runs one playbook. `hosts`: variables of every host that its inventory may have."""
        hosts = with_member_names(hosts, self.record.applied)
        self.record = self.record.started(run.playbook, run.leaver or run.after)
        self._keep()
        self.runner.run(run, self.document, hosts)
        self.record = self.record.succeeded(run.after)
        self._keep()

    def _earlier(self) -> dict[str, dict[str, Any]]:
        """Hosts of the cluster, and those that an unfinished run was adding, with their variables."""
        states = (self.record.begun, self.record.applied)
        return {host: variables for state in states if state for host, variables in state.hosts.items()}

    def _dead(self) -> frozenset[str]:
        """Hosts that leave the cluster and no longer answer."""
        earlier = self._earlier()
        members = self.record.applied.hosts if self.record.applied else {}
        leavers = leaving(self.record.applied, self.document) if self.record.applied else []
        leavers += [host for host in earlier if host not in members and host not in self.document.hosts]
        return frozenset(self._failed_logins({host: earlier[host] for host in leavers}))

    def _reach(self, hosts: Iterable[str]) -> None:
        """Logs in to hosts before anything changes. Raises KubesprayError that names every host whose login fails or whose key differs."""
        known = self.document.hosts
        if failed := self._failed_logins({host: known[host] for host in sorted(hosts)}):
            raise KubesprayError("\n".join(self._unreached(known[host], host, why) for host, why in failed.items()))

    def _failed_logins(self, hosts: dict[str, dict[str, Any]]) -> dict[str, str]:
        """The hosts whose login fails, with SSH's message."""

        def login(_: str, host: dict[str, Any]) -> None:
            done = self.shell.run(host, "true")
            if done.returncode:
                raise ReachError(done.stderr)

        failed = fan_out_blocking(hosts, login, LOGIN_SECONDS).failed
        return {host: str(error) for host, error in failed.items()}

    def _unreached(self, host: dict[str, Any], name: str, why: str) -> str:
        return f"{name}: login failed: {explained(why.strip())[-600:]}\nTo try it: {self.shell.by_hand(host)}"

    def _has_no_network(self) -> bool:
        """Whether the first control plane node runs a control plane without a pod network."""
        probe = "test -e /etc/kubernetes/admin.conf && ! ls /etc/cni/net.d/*.conf* >/dev/null 2>&1"
        return self.shell.run(self.first, probe).returncode == 0

    def _keep(self) -> None:
        """Writes the record here and on the first control plane node. Another machine reads that copy, so a failure to write it is not fatal."""
        self.workplace.store.write(self.record)
        new = f"{ON_NODE}.new"
        command = f"mkdir -p {os.path.dirname(ON_NODE)} && umask 077 && cat > {new} && mv {new} {ON_NODE}"  # noqa: PTH120 # a path on the node
        self.shell.run(self.first, command, self.record.to_json() + "\n")

    def _on_node(self, host: dict[str, Any]) -> Record | None:
        """The record on a control plane node. Raises KubesprayError if the node does not answer: no run could continue."""
        done = self.shell.run(host, f"cat {ON_NODE} 2>/dev/null || true")
        if done.returncode:
            name = f"the control plane node {host['ansible_host']}"
            raise KubesprayError(self._unreached(host, name, done.stderr))
        return Record.from_json(done.stdout)


def with_keys_of_leavers(known_hosts: str, before: str) -> str:
    """Pinned keys, and the earlier keys of hosts that left, which a run still connects to. Never an old key of a host that stays."""
    names = {line.split()[0] for line in known_hosts.splitlines() if line.strip()}
    old = [line for line in before.splitlines() if line.strip() and line.split()[0] not in names]
    return "".join(f"{line}\n" for line in dict.fromkeys([*known_hosts.splitlines(), *old]))


def refuse_other_multus(shell: Shell, control_plane: dict[str, Any]) -> None:
    """Raises KubesprayError if the cluster runs Kubespray's own Multus. A cluster that does not answer passes."""
    names = [line for line in shell.run(control_plane, LOOK).stdout.split() if line.startswith(MULTUS)]
    if names:
        daemons = ", ".join(name.removeprefix("daemonset.apps/") for name in names)
        msg = (
            f"the cluster runs Kubespray's own Multus (DaemonSet {daemons} in kube-system; kube_network_plugin_multus was on). It writes the same "
            f"00-multus.conf as the site's Multus. Turn kube_network_plugin_multus off, then type: "
            f"kubectl -n kube-system delete {' '.join(names)}; pulumi up"
        )
        raise KubesprayError(msg)
