"""The kubeconfig of a site: its own names, the server that is asked for, the credentials untouched."""

import pytest
import yaml

from multus_site.render.kubeconfig import for_site, server

ADMIN = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [
        {"name": "kubernetes", "cluster": {"server": "https://127.0.0.1:6443", "certificate-authority-data": "QQ=="}}
    ],
    "users": [{"name": "kubernetes-admin", "user": {"client-certificate-data": "Qg==", "client-key-data": "Qw=="}}],
    "contexts": [{"name": "c", "context": {"cluster": "kubernetes", "user": "kubernetes-admin"}}],
    "current-context": "c",
}


@pytest.mark.parametrize(
    ("host", "port", "address"),
    [
        ("10.1.1.5", 6443, "https://10.1.1.5:6443"),
        ("api.dallas.example", 443, "https://api.dallas.example:443"),
        ("2001:db8::5", 6443, "https://[2001:db8::5]:6443"),
    ],
)
def test_server(host, port, address):
    assert server(host, port) == address


def test_files_of_several_sites_can_be_merged():
    made = [yaml.safe_load(for_site(yaml.safe_dump(ADMIN), site, f"https://{site}:6443")) for site in ("a", "b")]
    for site, config in zip("ab", made, strict=True):
        assert config["current-context"] == site
        assert config["contexts"] == [{"name": site, "context": {"cluster": site, "user": site}}]
        assert config["clusters"][0] == {
            "name": site,
            "cluster": {"server": f"https://{site}:6443", "certificate-authority-data": "QQ=="},
        }
        assert config["users"] == [{"name": site, "user": ADMIN["users"][0]["user"]}]


@pytest.mark.parametrize("text", ["", "a: b", yaml.safe_dump({**ADMIN, "users": []}), "[]"])
def test_what_is_no_kubeconfig_is_said(text):
    with pytest.raises(ValueError, match=r"admin\.conf of the first control plane node is not a kubeconfig"):
        for_site(text, "a", "https://a:6443")
