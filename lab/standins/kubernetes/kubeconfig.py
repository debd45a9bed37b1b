"""From a kubeconfig to the cluster that it leads to."""

from __future__ import annotations

import base64
import os
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ..plugin import StandInError
from .settings import Settings


@dataclass(frozen=True)
class Cluster:
    """Where the API server is and who we are to it."""

    server: str
    namespace: str | None
    tls: ssl.SSLContext
    headers: dict[str, str]


def load(given: Settings) -> dict[str, Any]:
    """The kubeconfig as a document: contents, a path, $KUBECONFIG or ~/.kube/config, in this order."""
    text = given.kubeconfig or os.environ.get("KUBECONFIG", "").split(os.pathsep)[0] or "~/.kube/config"
    if "\n" not in text and "{" not in text:
        path = Path(text).expanduser()
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            msg = f"kubeconfig: {path}: {error.strerror}. Give the contents of a kubeconfig, or the path of one."
            raise StandInError(msg) from error
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        msg = f"kubeconfig: not YAML: {str(error).splitlines()[0]}. Give the contents of a kubeconfig, or its path."
        raise StandInError(msg) from error
    if not isinstance(document, dict):
        msg = "kubeconfig: not a mapping. Give the contents of a kubeconfig, or the path of one."
        raise StandInError(msg)
    return document


def stanza(document: dict[str, Any], given: Settings) -> dict[str, Any]:
    """The cluster stanza in force; empty where the names lead nowhere."""
    context = _named(document, "contexts", "context", given.context or document.get("current-context"))
    return _named(document, "clusters", "cluster", given.cluster or context.get("cluster"))


def cluster(document: dict[str, Any], given: Settings) -> Cluster:
    """The cluster in force, with client certificate or token; raises StandInError where something is missing."""
    name = given.context or document.get("current-context")
    context = _named(document, "contexts", "context", name)
    user = _named(document, "users", "user", context.get("user"))
    target = stanza(document, given)
    if not target.get("server"):
        msg = f"kubeconfig: context {name!r} leads to no cluster with a server. Set current-context, or give context."
        raise StandInError(msg)
    if "exec" in user or "auth-provider" in user:
        msg = (
            "kubeconfig: users that run a program for credentials are not for the stand-in. Use a certificate or token."
        )
        raise StandInError(msg)
    token = user.get("token") or (Path(user["tokenFile"]).read_text().strip() if user.get("tokenFile") else None)
    return Cluster(
        server=str(target["server"]).rstrip("/"),
        namespace=context.get("namespace"),
        tls=_tls(target, user),
        headers={"Authorization": f"Bearer {token}"} if token else {},
    )


def _named(document: dict[str, Any], section: str, inner: str, name: str | None) -> dict[str, Any]:
    for item in document.get(section) or []:
        if item.get("name") == name:
            return dict(item.get(inner) or {})
    return {}


def _data(stanza: dict[str, Any], name: str) -> bytes | None:
    if stanza.get(f"{name}-data"):
        return base64.b64decode(stanza[f"{name}-data"])
    return Path(stanza[name]).read_bytes() if stanza.get(name) else None


def _tls(target: dict[str, Any], user: dict[str, Any]) -> ssl.SSLContext:
    authority = _data(target, "certificate-authority")
    context = ssl.create_default_context(cadata=authority.decode() if authority else None)
    if target.get("insecure-skip-tls-verify"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    certificate, key = _data(user, "client-certificate"), _data(user, "client-key")
    if certificate and key:
        # The ssl module reads a client's key from files only; this one is ours alone and lives for two lines.
        with tempfile.NamedTemporaryFile() as file:
            file.write(certificate + b"\n" + key)
            file.flush()
            context.load_cert_chain(file.name)
    return context
