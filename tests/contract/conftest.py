"""What the contract's tests share: a project each; one sshd and one API server for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.contract import control_plane, ssh_server
from tests.contract.project import Project, graves
from tests.contract.tools import providers, search_path, tool


def pytest_report_header() -> list[str]:
    return ["contract: " + line for line in providers()]


@pytest.fixture(scope="package")
def _graves() -> Iterator[None]:
    with graves():
        yield


@pytest.fixture
def project(tmp_path, monkeypatch, _graves) -> Project:
    tool("pulumi")
    monkeypatch.setenv("PATH", search_path())
    return Project(tmp_path)


@pytest.fixture(scope="session")
def host(tmp_path_factory) -> Iterator[ssh_server.SshHost]:
    with ssh_server.running(tmp_path_factory.mktemp("sshd")) as running:
        yield running


@pytest.fixture(scope="session")
def cluster(tmp_path_factory) -> Iterator[control_plane.Cluster]:
    with control_plane.running(tmp_path_factory.mktemp("control-plane")) as running:
        yield running


@pytest.fixture
def played(cluster) -> Callable[..., object]:
    """`with played():` pods become ready; `with played(healthy=False):` they don't."""

    def play(*, healthy: bool = True):
        return control_plane.controllers(cluster, healthy=healthy)

    return play
