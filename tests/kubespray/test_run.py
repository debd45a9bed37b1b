"""Runs of the real ansible-playbook, on this machine as its own host: isolation, failure, cancel. No cluster."""

import asyncio
import importlib.util
import json
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kubespray.document import Document, KubesprayError
from kubespray.plan import PlaybookRun
from kubespray.run import Runner
from kubespray.source import Source
from kubespray.ssh import Shell
from kubespray.workplace import Workplace

PROJECT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("ansible") is None, reason="ansible-core is not installed (requirements-dev.txt)"
)

PLAY = "- hosts: all\n  gather_facts: {facts}\n  tasks:\n{tasks}"


def local(site: str, **variables: Any) -> Document:
    """A cluster whose only host is this machine."""
    host = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, "ansible_host": "127.0.0.1"}
    return Document(
        site=site,
        version="v2.31.0",
        hosts={"a": host},
        groups={"kube_control_plane": ("a",), "etcd": ("a",), "kube_node": ("a",)},
        variables={"site_name": site, **variables},
        identities={"a": "1"},
        private_key="-----BEGIN KEY-----",
        known_hosts="127.0.0.1 ssh-ed25519 AAAA\n",
    )


class Bench:
    """A source of our own and the means to run its playbooks."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.source = folder / "source"
        self.source.mkdir()
        # What Kubespray's ansible.cfg does, and what must not hold.
        (self.source / "ansible.cfg").write_text(
            "[defaults]\nhost_key_checking=False\ngathering=smart\nfact_caching=jsonfile\n"
            f"fact_caching_connection={folder}/shared-facts\n[ssh_connection]\nssh_args=-o UserKnownHostsFile=/dev/null\n"
        )
        self.stack = stack
        self.said: list[str] = []

    def playbook(self, *tasks: str, facts: str = "false") -> None:
        lines = "".join(f"    - {task}\n" for task in tasks)
        (self.source / "cluster.yml").write_text(PLAY.format(facts=facts, tasks=lines))

    def run(self, document: Document, **extra: Any) -> Workplace:
        workplace = Workplace.of(document.site)
        with workplace.lock() as lock:
            secrets = workplace.open(document, document.known_hosts)
            self.stack.callback(secrets.remove)
            runner = Runner(
                Source(self.source, "ours"),
                Path(sys.executable),
                workplace,
                secrets,
                Shell(secrets.key, workplace.known_hosts),
                lock,
                self.said.append,
            )
            runner.run(PlaybookRun("cluster.yml", document.groups, "test", None, extra=extra), document, document.hosts)
        return workplace


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    with ExitStack() as stack:
        yield Bench(tmp_path, stack)


def test_variables_and_extra_reach_the_playbook(bench: Bench) -> None:
    bench.playbook(
        f"copy: {{dest: {bench.folder}/out, content: '{{{{ [site_name, sure, sure is boolean] | to_json }}}}'}}"
    )
    bench.run(local("one"), sure=True)
    assert json.loads((bench.folder / "out").read_text()) == ["one", True, True]
    assert bench.said[0] == "cluster.yml: test"
    assert "1 tasks, 1 changed something" in bench.said[-1]


def test_settings_of_the_source_that_would_mix_stacks_do_not_hold(bench: Bench) -> None:
    bench.playbook("debug: {msg: '{{ ansible_system }}'}", facts="true")
    first, second = bench.run(local("one")), bench.run(local("two"))
    assert [path.name for path in first.facts.iterdir()] == ["a"]
    assert [path.name for path in second.facts.iterdir()] == ["a"]
    assert not (bench.folder / "shared-facts").exists()


@pytest.fixture
def sshd() -> Iterator[tuple[int, str]]:
    """An SSH server on a loopback port that lets nobody in, and its public host key."""
    asyncssh = pytest.importorskip("asyncssh")
    key = asyncssh.generate_private_key("ssh-ed25519")
    ready: queue.Queue[int] = queue.Queue()
    loop = asyncio.new_event_loop()

    async def listen() -> None:
        server = await asyncssh.listen("127.0.0.1", 0, server_host_keys=[key])
        ready.put(server.sockets[0].getsockname()[1])

    def serve() -> None:
        loop.run_until_complete(listen())
        loop.run_forever()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield ready.get(timeout=20), " ".join(key.export_public_key().decode().split()[:2])
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)


@pytest.mark.skipif(shutil.which("ssh") is None, reason="there is no ssh")
@pytest.mark.parametrize("pinned", ["right", "wrong"])
def test_host_keys_are_checked_whatever_the_source_says(
    bench: Bench, sshd: tuple[int, str], monkeypatch: pytest.MonkeyPatch, pinned: str
) -> None:
    port, key = sshd
    other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMFFjZKPd8cKkEfuGhMiKvREapU+nxUr8o3ckI3Jhs77"
    monkeypatch.setenv("ANSIBLE_HOST_KEY_CHECKING", "False")
    bench.playbook("ping:")
    document = replace(
        local("one"),
        hosts={"a": {"ansible_host": "127.0.0.1", "ansible_port": port, "ansible_user": "nobody"}},
        known_hosts=f"[127.0.0.1]:{port} {key if pinned == 'right' else other}\n",
    )
    with pytest.raises(KubesprayError) as error:
        bench.run(document)
    assert ("another SSH host key than the one that is pinned" in str(error.value)) == (pinned == "wrong")
    assert ("Permission denied" in str(error.value)) == (pinned == "right")


def test_failure_names_task_host_message_and_log_but_no_secret(bench: Bench) -> None:
    bench.playbook(
        "{name: Fine, debug: {msg: x}}",
        "{name: Go wrong, command: \"sh -c 'echo the token is {{ api_token }} >&2; exit 3'\"}",
    )
    with pytest.raises(KubesprayError) as error:
        bench.run(local("one", api_token="tops3cret"))  # noqa: S106 # a test's
    text = str(error.value)
    assert "task “Go wrong” on a" in text
    assert "the token is [secret]" in text
    assert "tops3cret" not in text
    log = next(line for line in text.splitlines() if line.startswith("The whole log: ")).removeprefix("The whole log: ")
    assert "Go wrong" in Path(log).read_text()


def test_an_ignored_failure_is_none(bench: Bench) -> None:
    bench.playbook("{command: 'false', ignore_errors: true}")
    bench.run(local("one"))


def test_a_prompt_does_not_hang(bench: Bench) -> None:
    bench.playbook("pause: {prompt: Sure?}")
    started = time.monotonic()
    bench.run(local("one"))
    assert time.monotonic() - started < 30


def test_the_key_is_ours_alone_and_there_only_during_the_run(bench: Bench) -> None:
    bench.playbook(f"shell: stat -c %a {bench.folder}/.work/one/kubespray/key > {bench.folder}/mode")
    workplace = bench.run(local("one"))
    assert (bench.folder / "mode").read_text().strip() == "600"
    bench.stack.close()
    assert not workplace.key.exists()


SLEEPER = """
import sys
from contextlib import ExitStack
sys.path.insert(0, {project!r})
from pathlib import Path
from tests.kubespray.test_run import Bench, local
from kubespray import __main__ as program
import queue
import shutil
import signal
signal.signal(signal.SIGTERM, program._ended)
bench = Bench.__new__(Bench)
bench.source, bench.stack, bench.said = Path("source").resolve(), ExitStack(), []
with bench.stack:
    bench.run(local("one"))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_cancelled_run_leaves_no_process_and_no_key(bench: Bench, number: signal.Signals) -> None:
    mark = bench.folder / "started"
    # A child that ignores the first request, as a stuck ssh would.
    bench.playbook(f"shell: \"trap '' TERM; echo $$ > {mark}; sleep 987\"")
    runner = subprocess.Popen([sys.executable, "-c", SLEEPER.format(project=str(PROJECT))], cwd=bench.folder)
    deadline = time.monotonic() + 60
    while not (mark.exists() and mark.read_text().strip()):
        assert time.monotonic() < deadline, "the playbook did not start"
        time.sleep(0.1)
    child = int(mark.read_text())
    runner.send_signal(number)
    runner.wait(60)
    deadline = time.monotonic() + 30
    while Path(f"/proc/{child}").exists():
        assert time.monotonic() < deadline, "Ansible's child outlived the runner"
        time.sleep(0.1)
    # The next run starts once that is done, and not before.
    with Workplace.of("one").lock():
        assert not (bench.folder / ".work/one/kubespray/key").exists()


@pytest.mark.usefixtures("bench")
def test_two_runs_of_one_stack_do_not_overlap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubespray.workplace.LOCK_SECONDS", 0.1)
    with Workplace.of("one").lock(), pytest.raises(KubesprayError, match="another run"):
        Workplace.of("one").lock()


def test_a_run_has_a_time_limit(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubespray.run._limit", lambda _hosts: 3.0)
    bench.playbook("{name: Forever, command: sleep 986}")
    with pytest.raises(KubesprayError, match="not done within 0:03"):
        bench.run(local("one"))
