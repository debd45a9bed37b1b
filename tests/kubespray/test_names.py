"""A variable that nothing uses is a mistake that Ansible keeps to itself."""

from pathlib import Path

import pytest

from multus_site.kubespray.variable_checks import check_names


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    roles = tmp_path / "roles/some/defaults"
    roles.mkdir(parents=True)
    (roles / "main.yml").write_text("kube_pods_subnet: 10.233.64.0/18\n")
    (tmp_path / "roles/some/x.j2").write_text("{% if calico_ip_auto_method is defined %}")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/all.yml").write_text("only_tests_say_this: 1\n")
    return tmp_path


def test_what_a_playbook_or_template_mentions_is_known(folder: Path) -> None:
    assert check_names(["kube_pods_subnet", "calico_ip_auto_method", "ansible_become"], {}, folder) == []


def test_a_misspelt_variable_is_told_with_what_is_near(folder: Path) -> None:
    assert check_names(["kube_pod_subnet", "only_tests_say_this"], {}, folder) == [
        "kubespray.variables.kube_pod_subnet: nothing in this Kubespray uses it; did you mean kube_pods_subnet?",
        "kubespray.variables.only_tests_say_this: nothing in this Kubespray uses it",
    ]


def test_a_variable_that_another_one_s_value_uses_is_known(folder: Path) -> None:
    given = {"our_mirror": "http://10.1.1.1", "kube_pods_subnet": "{{ our_mirror }}"}
    assert check_names(given, given, folder) == []
