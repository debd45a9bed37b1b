"""The schema in an editor: what yaml-language-server, which editors run, says of a stack file."""

import json
import shutil
import subprocess

import pytest

from multus_site.cli.schema import schema_text

SERVER = "yaml-language-server@2.0.0"
pytestmark = pytest.mark.engine  # it downloads the server

STACK = """\
# yaml-language-server: $schema=./site.schema.json
config:
  multus-site:site:
    name: dallas
    nodes:
      backend: existing
      hosts:
        node1: {address: 10.1.1.x, hostKey: ssh-rsa AAAA, roles: [control-plane, etcd, worker]}
        Node_2: {address: 10.1.1.6}
    networks:
      signalling: {type: macvlan, mastre: ens6, ipam: {type: whereabouts, rnge: 10.20.0.0/24}}
      media: {type: macvlam, master: ens6}
    workloads:
      probe: {image: busybox, networks: [{name: signalling, mac: 02:00:00:00:00:0g}]}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("there is no npm (apt-get install npm)")
    folder = tmp_path_factory.mktemp("server")
    done = subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", SERVER], cwd=folder, capture_output=True, text=True, check=False, timeout=300)  # fmt: skip
    if done.returncode:
        pytest.skip(f"no npm registry: {(done.stderr or done.stdout).strip()[-200:]}")
    return folder / "node_modules" / "yaml-language-server" / "bin" / "yaml-language-server"


class Editor:
    """A client of the language server, as an editor is one."""

    def __init__(self, server, file):
        self.process = subprocess.Popen(["node", server, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.uri = file.as_uri()
        self.ask("initialize", {"processId": None, "rootUri": None, "capabilities": {"workspace": {"configuration": True}, "textDocument": {"hover": {"contentFormat": ["markdown"]}}}})  # fmt: skip
        self.send(method="initialized", params={})
        document = {"uri": self.uri, "languageId": "yaml", "version": 1, "text": file.read_text()}
        self.send(method="textDocument/didOpen", params={"textDocument": document})
        found = self.until(lambda message: message.get("method") == "textDocument/publishDiagnostics")
        self.diagnostics = [
            (one["range"]["start"]["line"] + 1, one["message"]) for one in found["params"]["diagnostics"]
        ]

    def send(self, **message):
        data = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(data) + data)
        self.process.stdin.flush()

    def until(self, wanted):
        for _ in range(1000):
            length = 0
            while line := self.process.stdout.readline().strip():
                if line.startswith(b"Content-Length"):
                    length = int(line.partition(b":")[2])
            message = json.loads(self.process.stdout.read(length))
            if "method" in message and "id" in message:
                items = message["params"].get("items", []) if isinstance(message.get("params"), dict) else []
                settings = [{"validate": True, "hover": True} if one.get("section") == "yaml" else {} for one in items]
                self.send(id=message["id"], result=settings or None)
            elif wanted(message):
                return message
        raise AssertionError("the server does not answer")

    def ask(self, method, params):
        self.send(id=method, method=method, params=params)
        return self.until(lambda message: message.get("id") == method)["result"]

    def at(self, method, line, column):
        position = {"line": line - 1, "character": column - 1}
        return self.ask(f"textDocument/{method}", {"textDocument": {"uri": self.uri}, "position": position})


@pytest.fixture
def opened(server, tmp_path):
    editors = []

    def open_it(text):
        (tmp_path / "site.schema.json").write_text(schema_text())
        (tmp_path / "Pulumi.dallas.yaml").write_text(text)
        editors.append(Editor(server, tmp_path / "Pulumi.dallas.yaml"))
        return editors[-1]

    yield open_it
    for editor in editors:
        editor.process.kill()
        editor.process.wait()


def test_what_is_wrong(opened):
    said = opened(STACK).diagnostics
    wanted = [
        (8, "Write one such as 10.1.1.5"),
        (8, "Write one such as ssh-ed25519 AAAA"),
        (9, "Write one such as node1"),
        (11, "Property mastre is not allowed."),
        (11, 'Missing property "master".'),
        (11, "Property rnge is not allowed."),
        (14, "Write one such as docker.io/library/busybox:1.36"),
        (14, "Write one such as 02:00:0a:01:0a:05"),
    ]
    for line, message in wanted:
        assert any(at == line and text.startswith(message) for at, text in said), (line, message, said)
    assert any(at == 12 and '"macvlan"' in text for at, text in said)


def test_help(opened):
    right = STACK.replace("10.1.1.x", "10.1.1.5").replace("ssh-rsa AAAA", "ssh-ed25519 AAAA").replace("Node_2", "node2")
    right = right.replace("mastre", "master").replace("rnge", "range").replace("macvlam", "macvlan").replace("0g", "0a")
    right = right.replace("busybox", "docker.io/library/busybox:1.36")
    right = right.replace("master: ens6}", "master: ens7, ipam: {type: dhcp}}")
    editor = opened(right)
    assert editor.diagnostics == []
    hover = editor.at("hover", 11, right.splitlines()[10].index("master") + 2)["contents"]["value"]
    assert "NIC of the node" in hover
    names = {item["label"] for item in editor.at("completion", 11, right.splitlines()[10].index("type") + 3)["items"]}
    assert {"mode", "mtu", "segment"} <= names
    assert "vlanId" not in names
