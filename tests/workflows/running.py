"""Steps of pipelines run on this machine: a repository as `multus-site init` writes it with a site in it, the real pulumi, a hosting service of our own."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from multus_site.cli.init import contents
from tests.contract.tools import search_path
from tests.graph.recording import ED25519, PRIVATE_KEY

PROJECT = Path(__file__).parents[2]
WORKFLOWS = PROJECT / ".github" / "workflows"
PINNED = re.compile(r"^[\w.-]+/[\w.-]+@[0-9a-f]{40}$")

SITE = {
    "name": "dallas",
    "nodes": {
        "backend": "existing",
        "hosts": {
            "node1": {"address": "192.0.2.5", "hostKey": ED25519, "roles": ["control-plane", "etcd", "worker"]},
            "node2": {"address": "192.0.2.6", "hostKey": ED25519},
        },
    },
    "networks": {"signalling": {"type": "macvlan", "master": "ens6", "ipam": {"type": "whereabouts", "range": "10.20.0.0/24", "gateway": "10.20.0.1"}}},
    "workloads": {
        "probe": {
            "image": "docker.io/library/busybox:1.36",
            "networks": ["signalling"],
            "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "16Mi"}},
        }
    },
}  # fmt: skip

SHIM = """#!/bin/sh
# `up` needs nodes that are there: what it would do is asked for instead. All else is the real pulumi's.
verb=$1
[ "$verb" = up ] && shift && set -- preview "$@" && for a; do shift; [ "$a" = --yes ] || set -- "$@" "$a"; done
echo "$verb $*" >>"$PULUMI_CALLS"
exec @PULUMI@ "$@"
"""

VENV = """#!/bin/sh
# An empty environment takes a minute to fill: steps get the tests' own, in which pip finds this release installed.
[ "$*" = "-m venv .venv" ] && exec ln -sfn "@PREFIX@" .venv
exec "@PREFIX@/bin/python3" "$@"
"""


class Checkout:
    """A work tree of a user's repository, and a site `dallas` whose stack exists."""

    def __init__(self, folder):
        self.folder = folder / "checkout"
        path = os.pathsep.join([str(folder / "bin"), str(Path(sys.prefix) / "bin"), search_path()])
        for program in ("pulumi", "pulumi-language-python", "git"):
            if not shutil.which(program, path=path):
                pytest.skip(f"there is no {program} (make lab brings pulumi)")
        for name in ("bin", "state", "home"):
            (folder / name).mkdir()
        pulumi = shutil.which("pulumi", path=search_path())
        for name, text in (
            ("pulumi", SHIM.replace("@PULUMI@", pulumi)),
            ("python3", VENV.replace("@PREFIX@", sys.prefix)),
        ):
            shim = folder / "bin" / name
            shim.write_text(text)
            shim.chmod(0o755)
        self.calls = folder / "calls"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "CI_", "PULUMI_"))},
            "PATH": path,
            "HOME": str(folder / "home"),
            "PULUMI_CALLS": str(self.calls),
            "PULUMI_HOME": str(folder / "home" / ".pulumi"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            **{f"GIT_{who}_{what}": "tests@example.invalid" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        }  # fmt: skip
        self.secrets = {
            "secrets.PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
            "secrets.PULUMI_CONFIG_PASSPHRASE": "a passphrase",
        }
        for name, content in contents():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_bytes(content)
        self.base = self._begin()

    def _begin(self):
        self.git("init", "--quiet", "--initial-branch", "main")
        (self.folder / ".git" / "info" / "exclude").write_text(".venv\nreview.md\nlint.json\nup.yml\n*.xml\n")
        pulumi = {**self.environment, **{name.partition(".")[2]: value for name, value in self.secrets.items()}}
        for arguments, given in (
            (["stack", "init", "dallas"], None),
            (["config", "set", "--stack", "dallas", "--secret", "multus-site:sshPrivateKey"], PRIVATE_KEY),
        ):
            subprocess.run(
                ["pulumi", *arguments, "--non-interactive"],
                cwd=self.folder, env=pulumi, input=given, text=True, check=True, capture_output=True,
            )  # fmt: skip
        self.write(SITE)
        return self.commit("begin")

    def write(self, site):
        """The stack file with a site; its secrets stay."""
        file = self.folder / "stacks" / "Pulumi.dallas.yaml"
        kept = yaml.safe_load(file.read_text())
        kept["config"] |= {"pulumi:disable-default-providers": ["*"], "multus-site:site": site}
        file.write_text(yaml.safe_dump(kept, sort_keys=False))

    def commit(self, message):
        """Everything as a commit; its id."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD").strip()

    def git(self, *arguments):
        """git's output."""
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, env=self.environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    def shell(self, script, variables):
        """A script as both services run it; (exit status, all output)."""
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", script],
            cwd=self.folder, env={**self.environment, **variables}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout

    def job(self, workflow, name, expressions, **variables):
        """The steps of a job of GitHub that are shell, one after another; (name, exit status, output) of each.

        `expressions` are the values of `${{ … }}`; one that is not among them fails the test.
        """
        job = yaml.safe_load((WORKFLOWS / workflow).read_text())["jobs"][name]
        unset = {
            f"secrets.{name}": "" for name in ("PULUMI_ACCESS_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
        }
        known = {**unset, **self.secrets, "github.token": "the-token", **expressions}
        files = {key: str(self.folder.parent / key) for key in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        found = []
        for step in job["steps"]:
            if "run" not in step:
                assert PINNED.match(step["uses"]), step
                continue
            assert "${{" not in step["run"], "an expression inside of a script is how a title becomes a command"
            env = {key: _filled(value, known) for key, value in {**job.get("env", {}), **step.get("env", {})}.items()}
            status, output = self.shell(step["run"], {**files, **variables, **env})
            found.append((step["name"], status, output))
            if status and not any("always()" in str(s.get("if", "")) for s in job["steps"]):
                break
        return found


def _filled(value, known):
    return re.sub(r"\$\{\{ *(.+?) *\}\}", lambda found: known[found[1]], str(value))


class Hosting:
    """GitHub's and GitLab's API, as far as comments go; what is written is kept."""

    def __init__(self):
        self.comments = []
        self.requests = []
        hosting = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else {}
                status, answer = hosting.answer(self.command, self.path, body, self.headers)
                text = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PATCH = do_PUT = _answer

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def answer(self, method, path, body, headers):
        """One request's status and answer."""
        self.requests.append((method, path))
        if (
            "the-token" not in (headers.get("Authorization", ""), headers.get("PRIVATE-TOKEN", ""))
            and headers.get("Authorization") != "Bearer the-token"
        ):
            return 401, {"message": "Bad credentials"}
        path, _, query = path.partition("?")
        if path.endswith("/user"):
            return 200, {"id": 7}
        if method == "GET":
            page = int(re.search(r"\bpage=(\d+)", query)[1])
            return 200, self.comments[(page - 1) * 100 : page * 100]
        if method == "POST":
            made = {"id": len(self.comments) + 1, "user": {"type": "Bot"}, "author": {"id": 7}, **body}
            self.comments.append(made)
            return 201, made
        edited = next((c for c in self.comments if str(c["id"]) == path.rpartition("/")[2]), None)
        if edited is None:
            return 404, {"message": "Not Found"}
        edited["body"] = body["body"]
        return 200, edited
