"""A real kube-apiserver with its etcd on loopback ports, and a hand that plays controllers and kubelet."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.contract.ssh_server import free_port
from tests.contract.tools import tool

_START_SECONDS = 60.0
Object = dict[str, Any]


class Cluster:
    """The API server as its administrator sees it, beside any provider."""

    def __init__(self, server: str, folder: Path) -> None:
        self.server = server
        self._folder = folder
        tls = ssl.create_default_context(cafile=str(folder / "ca.pem"))
        tls.load_cert_chain(folder / "admin.pem", folder / "admin.key")
        self._client = httpx.Client(base_url=server, verify=tls, trust_env=False, timeout=30)

    @property
    def kubeconfig(self) -> str:
        """Contents of an administrator's kubeconfig."""
        text = {name: (self._folder / name).read_text() for name in ("ca.pem", "admin.pem", "admin.key")}
        return yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "test",
                "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
                "clusters": [
                    {
                        "name": "test",
                        "cluster": {"server": self.server, "certificate-authority-data": _encoded(text["ca.pem"])},
                    }
                ],
                "users": [
                    {
                        "name": "admin",
                        "user": {
                            "client-certificate-data": _encoded(text["admin.pem"]),
                            "client-key-data": _encoded(text["admin.key"]),
                        },
                    }
                ],
            }
        )

    @property
    def authority(self) -> str:
        """Certificate of the CA."""
        return (self._folder / "ca.pem").read_text()

    def get(self, path: str) -> Object | None:
        """The document at `path`, or None where there is none."""
        answer = self._client.get(path)
        return None if answer.status_code == httpx.codes.NOT_FOUND else _document(answer)

    def post(self, path: str, body: Object) -> Object:
        """Create."""
        return _document(self._client.post(path, json=body))

    def patch(self, path: str, body: Object) -> Object:
        """Merge `body` into what is there."""
        return _document(self._client.patch(path, json=body, headers={"Content-Type": "application/merge-patch+json"}))

    def delete(self, path: str) -> None:
        """Delete, if it is there."""
        self._client.delete(path)

    def ready(self) -> bool:
        """Whether the server serves."""
        try:
            return self._client.get("/readyz").is_success and self.get("/api/v1/namespaces/default") is not None
        except httpx.HTTPError:
            return False

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


@contextmanager
def running(folder: Path) -> Iterator[Cluster]:
    """etcd and kube-apiserver, from ready to gone."""
    etcd, apiserver = tool("etcd"), tool("kube-apiserver")
    certificates(folder)
    store, peers, port = free_port(), free_port(), free_port()
    commands = [
        [
            str(etcd),
            f"--data-dir={folder / 'etcd'}",
            f"--listen-client-urls=http://127.0.0.1:{store}",
            f"--advertise-client-urls=http://127.0.0.1:{store}",
            f"--listen-peer-urls=http://127.0.0.1:{peers}",
            "--unsafe-no-fsync",
        ],
        [
            str(apiserver),
            f"--etcd-servers=http://127.0.0.1:{store}",
            "--bind-address=127.0.0.1",
            f"--secure-port={port}",
            "--endpoint-reconciler-type=none",
            "--allow-privileged=true",
            "--service-cluster-ip-range=10.96.0.0/24",
            f"--client-ca-file={folder / 'ca.pem'}",
            f"--tls-cert-file={folder / 'server.pem'}",
            f"--tls-private-key-file={folder / 'server.key'}",
            f"--service-account-key-file={folder / 'server.key'}",
            f"--service-account-signing-key-file={folder / 'server.key'}",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--authorization-mode=RBAC",
            "--disable-admission-plugins=ServiceAccount",
            # No controller manager here, so nobody would finish a foreground deletion.
            "--enable-garbage-collector=false",
        ],
    ]
    processes: list[subprocess.Popen[bytes]] = []
    cluster = Cluster(f"https://127.0.0.1:{port}", folder)
    try:
        for command in commands:
            with (folder / f"{Path(command[0]).name}.log").open("wb") as log:
                processes.append(
                    subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder)
                )
        deadline = time.monotonic() + _START_SECONDS
        while not cluster.ready():
            dead = [process for process in processes if process.poll() is not None]
            if dead or time.monotonic() > deadline:
                pytest.fail(f"kube-apiserver did not start; see {folder}/*.log")
            time.sleep(0.2)
        yield cluster
    finally:
        cluster.close()
        for process in reversed(processes):
            process.terminate()
            process.wait(20)


@contextmanager
def controllers(cluster: Cluster, *, healthy: bool = True) -> Iterator[None]:
    """Play deployment and daemon set controllers and their kubelets, all of whose pods are ready, or none."""
    stop = threading.Event()
    thread = threading.Thread(target=_play, args=(cluster, healthy, stop), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(10)


def _play(cluster: Cluster, healthy: bool, stop: threading.Event) -> None:
    while not stop.wait(0.2):
        for kind in ("deployments", "daemonsets"):
            listed = cluster.get(f"/apis/apps/v1/namespaces/default/{kind}") or {}
            for item in listed.get("items", []):
                seen = item.get("status", {}).get("observedGeneration", 0)
                if seen >= item["metadata"]["generation"]:
                    continue
                try:
                    if kind == "deployments":
                        _deploy(cluster, item, healthy)
                    else:
                        _spread(cluster, item, healthy)
                except (httpx.HTTPError, AssertionError):
                    continue  # it was changed or deleted meanwhile; the next round sees it as it is


def _deploy(cluster: Cluster, item: Object, healthy: bool) -> None:
    name, wanted = item["metadata"]["name"], item["spec"]["replicas"]
    there = wanted if healthy else 0
    revision = str(item["metadata"]["generation"])
    path = f"/apis/apps/v1/namespaces/default/deployments/{name}"
    marked = cluster.patch(path, {"metadata": {"annotations": {"deployment.kubernetes.io/revision": revision}}})
    replica_set = cluster.post(
        "/apis/apps/v1/namespaces/default/replicasets",
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {
                "name": f"{name}-{revision}",
                "annotations": {"deployment.kubernetes.io/revision": revision},
                "labels": item["spec"]["template"]["metadata"]["labels"],
                "ownerReferences": [
                    {
                        "apiVersion": "apps/v1",
                        "kind": "Deployment",
                        "name": name,
                        "uid": item["metadata"]["uid"],
                        "controller": True,
                    }
                ],
            },
            "spec": {"replicas": wanted, "selector": item["spec"]["selector"], "template": item["spec"]["template"]},
        },
    )
    counts = {"replicas": wanted, "readyReplicas": there, "availableReplicas": there}
    cluster.patch(
        f"/apis/apps/v1/namespaces/default/replicasets/{replica_set['metadata']['name']}/status",
        {"status": {**counts, "fullyLabeledReplicas": wanted, "observedGeneration": 1}},
    )
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    known = {"lastTransitionTime": now, "lastUpdateTime": now, "message": ""}
    conditions = [
        {"type": "Available", "status": str(healthy), "reason": "Played", **known},
        {
            "type": "Progressing",
            "status": "True",
            "reason": "NewReplicaSetAvailable" if healthy else "ReplicaSetUpdated",
            **known,
            "message": f'ReplicaSet "{name}-{revision}" has successfully progressed.',
        },
    ]
    generation = marked["metadata"]["generation"]
    cluster.patch(
        f"{path}/status",
        {"status": {**counts, "updatedReplicas": wanted, "observedGeneration": generation, "conditions": conditions}},
    )


def _spread(cluster: Cluster, item: Object, healthy: bool) -> None:
    there = 3 if healthy else 0
    cluster.patch(
        f"/apis/apps/v1/namespaces/default/daemonsets/{item['metadata']['name']}/status",
        {
            "status": {
                "observedGeneration": item["metadata"]["generation"],
                "desiredNumberScheduled": 3,
                "currentNumberScheduled": 3,
                "updatedNumberScheduled": 3,
                "numberAvailable": there,
                "numberReady": there,
                "numberMisscheduled": 0,
            }
        },
    )


def _document(answer: httpx.Response) -> Object:
    assert answer.is_success, f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text}"
    found: Object = answer.json()
    return found


def _encoded(text: str) -> str:
    import base64

    return base64.b64encode(text.encode()).decode()


def certificates(folder: Path) -> None:
    authority = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "contract")])
    _write(folder, "ca", authority, _certificate(issuer, authority, issuer, authority, authority_of_others=True))
    for name, subject in (
        ("server", [x509.NameAttribute(NameOID.COMMON_NAME, "server")]),
        (
            "admin",
            [
                x509.NameAttribute(NameOID.COMMON_NAME, "admin"),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "system:masters"),
            ],
        ),
    ):
        key = ec.generate_private_key(ec.SECP256R1())
        _write(folder, name, key, _certificate(x509.Name(subject), key, issuer, authority, authority_of_others=False))


def _certificate(
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    authority: ec.EllipticCurvePrivateKey,
    *,
    authority_of_others: bool,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=authority_of_others, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(authority, hashes.SHA256())
    )


def _write(folder: Path, name: str, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
    (folder / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / f"{name}.key").touch(0o600)
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
    )
