"""What the drift command takes from `pulumi refresh --preview-only`: objects that were changed or removed by hand."""

from __future__ import annotations

import subprocess

import pulumi
import pulumi_kubernetes as kubernetes
import pytest

from multus_site.cli import refresh

pytestmark = pytest.mark.engine
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"


def program_of(cluster):
    def program():
        given = {"kubeconfig": pulumi.Output.secret(cluster.kubeconfig), "cluster_identifier": "contract"}
        opts = pulumi.ResourceOptions(provider=kubernetes.Provider("cluster", **given))
        for name in ("kept", "edited", "removed"):
            kubernetes.core.v1.ConfigMap(
                name, metadata={"name": f"drift-{name}", "namespace": "default"}, data={"a": "1"}, opts=opts
            )

    return program


class Stack:
    """The part of cli.stacks.Stack that is asked, in the project's folder."""

    name = "test"

    def __init__(self, project):
        self._project = project

    def pulumi(self, *arguments):
        return subprocess.run(
            ["pulumi", *arguments, "--stack", self.name, "--non-interactive", "--color", "never"],
            cwd=self._project.folder / "work",
            env=self._project.shell(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )


def test_what_was_changed_and_what_is_gone_is_told_and_nothing_else(project, cluster):
    assert project.up(program_of(cluster)).ok
    assert refresh.drifted(Stack(project)) == []
    cluster.patch(f"{CONFIG_MAPS}/drift-edited", {"data": {"a": "2"}})
    cluster.delete(f"{CONFIG_MAPS}/drift-removed")
    state = project.state()
    edited, removed = sorted(refresh.drifted(Stack(project)), key=lambda c: c.name)
    assert (edited.name, edited.kind, edited.gone) == ("edited", "ConfigMap", False)
    assert any(path.startswith("data") for path in edited.paths)
    assert (removed.name, removed.gone) == ("removed", True)
    assert project.state() == state


def test_what_pulumi_cannot_do_is_an_error_in_its_words(project):
    broken = Stack(project)
    broken.name = "nobody"
    with pytest.raises(refresh.RefreshError, match="no stack named 'nobody' found"):
        refresh.drifted(broken)
