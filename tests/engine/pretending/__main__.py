"""`python -m tests.engine.pretending PROVIDER ENGINE`: providers for an `up` without nodes, which leaves the state that a site leaves.

Previews are then made against that state with the providers that everything else uses. Checks and differences are those of the lab's
stand-ins; only what would reach a node or an API server answers by itself. The records of Kubespray's runs and of the delivery are the runners' own.
"""

import asyncio
import base64
import datetime
import hashlib
import json
import os
import sys
import uuid
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pulumi.provider.experimental import provider as sdk

from lab.standins.command.provider import VERSION as COMMAND
from lab.standins.command.provider import CommandProvider
from lab.standins.kubernetes import identity
from lab.standins.kubernetes.provider import VERSION as KUBERNETES
from lab.standins.kubernetes.provider import KubernetesProvider
from lab.standins.plugin import EngineLog, main
from lab.standins.values import plain_map, wire_map
from multus_site.kubespray.document import Document
from multus_site.kubespray.plan import as_applied
from multus_site.kubespray.record import Record
from multus_site.nodes.delivery.document import Document as Delivery
from multus_site.nodes.delivery.document import Record as Delivered
from tests.graph.recording import passed


def credentials():
    """A certificate and its key as kubeadm makes them, in base64: of a cluster that is not there."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kubernetes")])
    now = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=365))
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    certificate = made.sign(key, SHA256()).public_bytes(Encoding.PEM)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return (base64.b64encode(data).decode() for data in (certificate, private))


def admin_conf():
    """The kubeconfig that $PRETENDING_KUBECONFIG names, else one whose server answers nobody."""
    if given := os.environ.get("PRETENDING_KUBECONFIG"):
        return Path(given).read_text(encoding="utf-8")
    certificate, key = credentials()
    cluster = {"server": "https://127.0.0.1:9", "certificate-authority-data": certificate}
    user = {"client-certificate-data": certificate, "client-key-data": key}
    context = {"cluster": "kubernetes", "user": "kubernetes-admin"}
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "kubernetes", "cluster": cluster}],
            "users": [{"name": "kubernetes-admin", "user": user}],
            "contexts": [{"name": "c", "context": context}],
            "current-context": "c",
        }
    )


def delivered(document):
    """The record of a delivery that found every node as it should be."""
    results = {arch: {one.name: {"sha256": "a" * 64} for one in many} for arch, many in document.origins.items()}
    nodes = {
        name: {"address": node.address, "hostKey": node.host_key, "done": document.run_id, "result": node.architecture}
        for name, node in document.nodes.items()
    }
    return Delivered(nodes, results).json()


def answer(urn, properties):
    """The last line that a command would print."""
    name, stdin = urn.rpartition("::")[2], str(properties.get("stdin") or "")
    if name.endswith("-facts"):
        node = name.partition("-")[2]
        identity = hashlib.sha256(node.encode()).hexdigest()[:32]
        return json.dumps({"machineId": identity, "memory": 8192, "looked": 1})
    if name.endswith("-preflight-run"):
        return passed(json.loads(stdin))
    if name.endswith("-kubespray"):
        document = Document.parse(stdin)
        return Record(document.site, 1, as_applied(document, None)).printed()
    if name.endswith("-kubeconfig"):
        return admin_conf()
    if name.endswith("-cni-plugins-install"):
        return delivered(Delivery.parse(stdin))
    if name.endswith("-networks-apply"):
        return json.dumps({"links": {}, "masters": {}, "files": {}})
    if name.endswith("-run"):
        return "[]" if name.endswith("-throughput-run") else json.dumps({"passed": True, "checks": [], "pods": []})
    return name


RUN_DELETES = "PRETENDING_RUN_DELETES"
"""Environment variable: a file. The lines by which local commands are deleted run then, with an empty document, and how each ended goes into it."""


class Commands(CommandProvider):
    """Runs nothing, but what $PRETENDING_RUN_DELETES asks for."""

    async def delete(self, request):
        line, name = plain_map(request.properties).get("delete"), request.urn.rpartition("::")[2]
        if (file := os.environ.get(RUN_DELETES)) and line and request.urn.count("command:local:Command"):
            process = await asyncio.create_subprocess_exec("sh", "-c", line, stdin=PIPE, stdout=PIPE, stderr=STDOUT)
            said, _ = await process.communicate(b"{}")
            with Path(file).open("a", encoding="utf-8") as ended:
                print(json.dumps({"name": name, "status": process.returncode, "said": said.decode()}), file=ended)

    async def _run(self, _kind, command, properties, urn):
        return {"stdout": answer(urn, properties) if command else "", "stderr": ""}


class Kubernetes(KubernetesProvider):
    """Makes every object at once."""

    async def create(self, request):
        if request.preview:
            return sdk.CreateResponse(None, request.properties)
        wanted = identity.to_object(plain_map(request.properties), request.urn)
        return sdk.CreateResponse(identity.identifier(wanted), self._made(wanted, str(uuid.uuid4())))

    async def update(self, request):
        wanted = identity.to_object(plain_map(request.news), request.urn)
        uid = plain_map(request.olds).get("metadata", {}).get("uid", "")
        return sdk.UpdateResponse(request.news if request.preview else self._made(wanted, uid))

    async def delete(self, request):
        """It is gone."""

    @staticmethod
    def _made(wanted, uid):
        live = {**wanted, "metadata": {**wanted["metadata"], "uid": uid, "generation": 1}}
        manager = identity.annotation(wanted, "pulumi.com/patchFieldManager")
        return wire_map(identity.to_properties(live, wanted, manager, wanted["apiVersion"]))


log = EngineLog()
which = sys.argv.pop(1)
if which == "command":
    main(Commands(log), COMMAND, log)
else:
    main(Kubernetes(log), KUBERNETES, log)
