"""Secrets don't show, whatever form they take in Ansible's output; other texts do."""

import json

import pytest

from multus_site.kubespray.masking import Masking

KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\nAAAEbm9uZQAAAAAA\n-----END OPENSSH PRIVATE KEY-----\n"
MASK = Masking.for_variables(
    {
        "registry_password": "hunter22",
        "containerd_registry_auth": [{"registry": "10.0.0.2:5000", "username": "puller", "password": 'pa"ss\\word'}],
        "kube_oidc_url": "https://login.example",
        "site_licence": "ABCD-EFGH",
        "short_token": "abc",
    },
    secret=["site_licence"],
    more=[KEY],
)


@pytest.mark.parametrize(
    "text",
    [
        "hunter22",
        'pa"ss\\word',
        json.dumps({"password": 'pa"ss\\word'}),
        "ABCD-EFGH",
        KEY,
        json.dumps(KEY),
        "b3BlbnNzaC1rZXktdjEAAAAA",
        "join --token abcdef.0123456789abcdef",
        f"--certificate-key {'0a' * 32} --more",
    ],
)
def test_hidden(text: str) -> None:
    shown = MASK(f"before {text} after")
    for part in ("hunter22", "word", "ABCD", "b3Blbn", "0123456789abcdef", "0a0a0a"):
        assert part not in shown.replace("password", "")
    assert "[secret]" in shown
    assert shown.startswith("before ")
    assert shown.endswith(" after")


@pytest.mark.parametrize(
    "text",
    [
        "https://login.example",
        "abc is too short to hide: it is in abcdef too",
        "sha256:" + "0a" * 32,
        "registry.k8s.io/kube-apiserver:v1.35.4",
    ],
)
def test_shown(text: str) -> None:
    assert MASK(text) == text
