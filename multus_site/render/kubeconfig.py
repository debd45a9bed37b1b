"""The kubeconfig of a site, made from kubeadm's on a node."""

import io

from ruamel.yaml import YAML


def server(host: str, port: int) -> str:
    """The URL of an API server; an IPv6 address gets brackets."""
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"


def for_site(admin_conf: str, site: str, server: str) -> str:
    """The kubeconfig with another server, and with the site's name as context, cluster and user, so that those of several sites can be merged.

    Raises ValueError if the text is not a kubeconfig with one cluster and one user.
    """
    yaml = YAML(typ="safe", pure=True)
    data = yaml.load(admin_conf)
    try:
        (cluster,) = data["clusters"]
        (user,) = data["users"]
        authority = cluster["cluster"]["certificate-authority-data"]
        credentials = user["user"]
    except (TypeError, KeyError, ValueError):
        msg = "/etc/kubernetes/admin.conf of the first control plane node is not a kubeconfig with one cluster and one user"
        raise ValueError(msg) from None
    yaml.default_flow_style = False
    text = io.StringIO()
    yaml.dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": site, "cluster": {"certificate-authority-data": authority, "server": server}}],
            "users": [{"name": site, "user": credentials}],
            "contexts": [{"name": site, "context": {"cluster": site, "user": site}}],
            "current-context": site,
        },
        text,
    )
    return text.getvalue()
