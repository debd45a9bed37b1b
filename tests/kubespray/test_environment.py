"""Ansible in an environment of its own: which Python it runs on, and that it is what the release asserts."""

import subprocess
import sys
from pathlib import Path

import pytest

from multus_site.kubespray import environment
from multus_site.kubespray.document import KubesprayError
from multus_site.kubespray.source import Source
from multus_site.model.kubespray_releases import ANSIBLE, Ansible

STANDIN = Path(__file__).parents[2] / "lab/kubespray-standin"


def source(folder: Path, requirements: str, asserts: str = "") -> Source:
    (folder / "playbooks").mkdir()
    (folder / "requirements.txt").write_text(requirements)
    if asserts:
        (folder / "playbooks/ansible_version.yml").write_text(asserts)
    return Source(folder, "a test's")


def test_the_stand_in_s_ansible_is_built_once_and_runs() -> None:
    python = environment.ansible(Source(STANDIN, "the stand-in", real=False))
    done = subprocess.run(
        [python, "-m", "ansible", "playbook", "--version"], capture_output=True, text=True, check=True
    )
    pinned = (STANDIN / "requirements.txt").read_text().split("==")[1].strip()
    assert f"[core {pinned}]" in done.stdout
    mark = python.parent.parent / "complete"
    made = mark.stat().st_mtime_ns
    assert environment.ansible(Source(STANDIN, "the stand-in", real=False)) == python
    assert mark.stat().st_mtime_ns == made


@pytest.mark.parametrize(
    ("requirements", "words"),
    [
        ("ansible==9.13.0\n", "pins ansible-core 2.16, but only 2.17, 2.18, 2.19 are known"),
        ("ansible-core==2.15.1\n", "pins ansible-core 2.15"),
        ("netaddr==1.3.0\n", "pins neither ansible nor ansible-core"),
        ("ansible>=11\n", "pins neither ansible nor ansible-core"),
    ],
)
def test_an_ansible_that_is_not_known_is_refused(tmp_path: Path, requirements: str, words: str) -> None:
    with pytest.raises(KubesprayError, match=words):
        environment.ansible(source(tmp_path, requirements))


def test_a_python_that_is_too_new_for_the_release_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ANSIBLE, (2, 17), Ansible((3, 1), (3, 2), "3.1"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(KubesprayError, match=r"requires Python 3.1 to 3.2. This is 3\..*Install python3.2"):
        environment.ansible(source(tmp_path, "ansible==10.7.0\n"))


def test_another_python_on_path_is_taken_where_ours_does_not_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not run here: that it is found is what counts."""
    (tmp_path / "python3.2").symlink_to(sys.executable)
    monkeypatch.setitem(ANSIBLE, (2, 17), Ansible((3, 1), (3, 2), "3.1"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("MULTUS_SITE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(environment, "INSTALL_SECONDS", 0.001)
    with pytest.raises(KubesprayError, match=f"took longer than .*{tmp_path}/python3.2 -m venv"):
        environment.ansible(source(tmp_path, "ansible==10.7.0\n"))


ASSERTS = "    minimal_ansible_version: 2.17.3\n    maximal_ansible_version: 2.18.0\n"


def test_what_was_installed_must_be_what_the_release_asserts(tmp_path: Path) -> None:
    pinned = (STANDIN / "requirements.txt").read_text()
    with pytest.raises(
        KubesprayError, match=r"installed ansible-core 2\.18\..* requires 2\.17\.3 or later, before 2\.18\.0"
    ):
        environment.ansible(source(tmp_path, pinned, ASSERTS))
