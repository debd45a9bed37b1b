"""The graph of a site, recorded: Pulumi's mocks with a monitor that keeps what mocks do not show, the dependencies."""

import asyncio
import json
from dataclasses import dataclass, field

import pulumi
from pulumi.runtime import mocks
from pulumi.runtime.mocks import MockMonitor, MockResourceArgs, Mocks

from components.secrets import Secrets
from components.site import Site, SiteArgs
from multus_site.model.catalog import Catalog
from multus_site.model.load import parse_site
from multus_site.nodes.preflight.document import Record
from multus_site.render.host_keys import derive_host_key

ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMMBiOX5o5vhHt6iyc5/g8YeZZ4gvCxLKOYupGSW5Sv/"
PRIVATE_KEY = derive_host_key("a key that opens nothing", "tests", "graph").private
ADMIN_CONF = json.dumps(
    {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": "kubernetes",
                "cluster": {"server": "https://127.0.0.1:6443", "certificate-authority-data": "QQ=="},
            }
        ],
        "users": [{"name": "kubernetes-admin", "user": {"client-certificate-data": "QQ==", "client-key-data": "QQ=="}}],
        "contexts": [{"name": "c", "context": {"cluster": "kubernetes", "user": "kubernetes-admin"}}],
        "current-context": "c",
    }
)


def lab_site(**changes):
    """The article's site as plain data; `changes` replace top-level keys."""
    macvlan = {"type": "macvlan"}
    site = {
        "name": "lab",
        "nodes": {
            "backend": "container",
            "container": {
                "image": "localhost/multus-site-node:bookworm",
                "networks": {"eth0": "management", "ens6": "internal", "ens7": "external"},
            },
            "hosts": {
                "node1": {"address": "10.1.1.5", "roles": ["control-plane", "etcd", "worker"]},
                "node2": {"address": "10.1.1.6"},
                "node3": {"address": "10.1.1.7"},
            },
        },
        "cniPlugins": {"version": "1.9.1", "plugins": ["macvlan"]},
        "networks": {
            "macvlan-internal": {**macvlan, "master": "ens6", "ipam": {"type": "host-local", "ranges": [ranged(10)]}},
            "macvlan-external": {**macvlan, "master": "ens7", "ipam": {"type": "host-local", "ranges": [ranged(20)]}},
        },
        "workloads": {
            "samplepod": {
                "image": "docker.io/library/busybox:1.36",
                "command": ["tail", "-f", "/dev/null"],
                "networks": ["macvlan-internal", "macvlan-external"],
                "nodes": ["node2"],
            }
        },
    }
    return {**site, **changes}


def ranged(third):
    """The article's range on 10.1.<third>.0/24."""
    net = f"10.1.{third}"
    return {"subnet": f"{net}.0/24", "rangeStart": f"{net}.200", "rangeEnd": f"{net}.250", "gateway": f"{net}.1"}


CATALOG = Catalog.model_validate(
    {
        "cniPlugins": {"1.9.1": {"amd64": {"macvlan": {"url": "http://10.1.1.1:8080/macvlan", "sha256": "a" * 64}}}},
        "images": {"docker.io/library/busybox:1.36": "sha256:" + "b" * 64},
    }
)


def text_of(stdin):
    """An input that may be a secret."""
    return stdin["value"] if isinstance(stdin, dict) else stdin


def passed(document):
    """The record of a preflight in which every host was as the site asks."""
    nic = {"mac": "02:00:00:00:00:01", "mtu": 1500, "driver": "virtio_net", "speed": 10000}
    nodes = {
        name: {
            "asked": "",
            "reasons": its["reasons"],
            "prepared": its["prepared"],
            "facts": {
                "machineId": its["reasons"][0],
                "nics": dict.fromkeys(document["kinds"][its["kind"]]["nics"], nic),
            },
        }
        for name, its in document["nodes"].items()
    }
    return Record(nodes).json()


class Answers(Mocks):
    """What the real resources would answer. `state`: URN → type and outputs of what the last update left."""

    state = {}

    def __init__(self, state=None):
        if state is not None:
            self.state = state

    def new_resource(self, args: MockResourceArgs):
        outputs = dict(args.inputs)
        if args.typ == "command:remote:Command":
            outputs["stdout"] = self._remote(args)
        elif args.typ == "command:local:Command":
            if (stdout := self._local(args)) is not None:
                outputs["stdout"] = stdout
        elif args.typ.startswith("kubernetes:"):
            outputs.setdefault("metadata", {})
            outputs["metadata"] = {**outputs["metadata"], "uid": f"uid-{args.name}", "generation": 1}
        return f"{args.name}-id", outputs

    def call(self, args):
        return {"outputs": self.state} if args.token.endswith(":readStackResourceOutputs") else {}

    @staticmethod
    def _remote(args):
        if args.name.endswith("-facts"):
            return json.dumps({"machineId": f"id-of-{args.name}", "nics": {}})
        return ADMIN_CONF if args.name.endswith("-kubeconfig") else "{}"

    @staticmethod
    def _local(args):
        if args.name.endswith("-preflight-run"):
            given = text_of(args.inputs["stdin"])
            return passed(json.loads(given)) if isinstance(given, str) else None
        if args.name.endswith("-kubespray"):
            return json.dumps({"site": "lab", "runs": 1})
        if args.name.endswith("-topology-apply"):
            stdin = args.inputs["stdin"]["value"]
            return json.dumps(json.loads(stdin)["nodes"]) if isinstance(stdin, str) else None
        if args.name.endswith("-throughput-run"):
            return "[]"
        if args.name.endswith("-cni-plugins-install"):
            stdin = args.inputs["stdin"]["value"]  # a secret
            if not isinstance(stdin, str):
                return None  # not known at this preview
            nodes = json.loads(stdin)["nodes"]
            return json.dumps(
                {
                    "nodes": {node: {"result": "1"} for node in nodes},
                    "results": {"1": {"macvlan": {"sha256": "a" * 64}}},
                }
            )
        if args.name.endswith(("-facts", "-kubeconfig", "-apply")):
            return Answers._remote(args)  # behind two bastions
        return json.dumps({"passed": True, "checks": []}) if args.name.endswith("-run") else "container-id"


@dataclass
class Node:
    """One registered resource, by its logical name."""

    type: str
    name: str
    parent: str
    dependencies: set[str] = field(default_factory=set)
    inputs: dict = field(default_factory=dict)
    options: object = None


def short(urn):
    """`Kind name` of a URN; several resources of one name differ in kind."""
    types, _, name = urn.rpartition("::")
    return f"{types.rpartition('::')[2].rpartition('$')[2].rpartition(':')[2]} {name}"


class Graph(dict):
    """Resources by `Kind name`."""

    def of(self, kind):
        """The resources of a type, by name."""
        return {name: node for name, node in self.items() if node.type == kind}

    def before(self, name):
        """All that must be there before a resource is made: its dependencies' and its ancestors', to the end."""
        seen: set[str] = set()
        todo = [name]
        while todo:
            node = self[todo.pop()]
            following = set(node.dependencies) | ({node.parent} if node.parent in self else set())
            todo += following - seen
            seen |= following
        return seen


class Recorder(MockMonitor):
    """Keeps what each registration asked for."""

    def __init__(self, answers):
        super().__init__(answers)
        self.graph = Graph()

    def RegisterResource(self, request):
        self.graph[f"{request.type.rpartition(':')[2]} {request.name}"] = Node(
            request.type,
            request.name,
            short(request.parent),
            {short(urn) for urn in request.dependencies},
            request.object,
            request,
        )
        return super().RegisterResource(request)

    def ReadResource(self, request):
        self.graph[f"{request.type.rpartition(':')[2]} {request.name}"] = Node(request.type, request.name, "")
        return super().ReadResource(request)


def record(data=None, *, catalog=None, preview=False, answers=None, kubespray_variables=None):
    """The graph of a site, the lab's if no data is given."""

    def program():
        site = parse_site(data or lab_site(), source="stacks/Pulumi.lab.yaml")
        ssh = {"sshPrivateKey": pulumi.Output.secret(PRIVATE_KEY)}
        variables = None if kubespray_variables is None else pulumi.Output.secret(kubespray_variables)
        secrets = Secrets(ssh, pulumi.Output.secret("0123456789abcdef0123456789abcdef"), variables)
        Site(site.name, SiteArgs(site, catalog or CATALOG, secrets))

    return record_program(program, preview=preview, answers=answers)


def record_program(program, *, preview=False, answers=None):
    """The graph of any program."""
    recorder = Recorder(answers or Answers())
    loop = asyncio.new_event_loop()
    # A mistake reaches every output behind it; the test gets it raised once, the others would print behind pytest's summary.
    loop.set_exception_handler(lambda *_: None)
    asyncio.set_event_loop(loop)
    mocks.set_mocks(recorder.mocks, project="multus-site", stack="lab", preview=preview, monitor=recorder)
    pulumi.runtime.test(program)()
    recorder.graph.pop("Stack multus-site-lab", None)
    return recorder.graph
