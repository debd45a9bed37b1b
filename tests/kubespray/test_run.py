"""Runs of the real ansible-playbook, on this machine as its own host: isolation, failure, cancel. No cluster."""

import asyncio
import importlib.util
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from multus_site.kubespray.document import Document, KubesprayError
from multus_site.kubespray.folders import Workplace
from multus_site.kubespray.plan import PlaybookRun
from multus_site.kubespray.run import Runner
from multus_site.kubespray.source import Source
from multus_site.ssh.openssh import Shell
from multus_site.ssh.ssh_route import Login, SshRoute

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
        route=SshRoute(Login("nobody", "-----BEGIN KEY-----")),
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
        workplace = Workplace.for_site(document.site)
        with workplace.lock() as lock:
            secrets = workplace.open(document, document.known_hosts)
            self.stack.callback(secrets.remove)
            runner = Runner(
                Source(self.source, "ours"),
                Path(sys.executable),
                workplace,
                secrets,
                Shell(document.route, secrets.keys, workplace.known_hosts),
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
    assert bench.said[-1].endswith(", 1 tasks, changed: 1 on a")


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
    assert ("its SSH host key is not the pinned one" in str(error.value)) == (pinned == "wrong")
    assert ("Permission denied" in str(error.value)) == (pinned == "right")


def test_failure_names_task_host_message_and_log_but_no_secret(bench: Bench) -> None:
    bench.playbook(
        "{name: Fine, debug: {msg: x}}",
        "{name: Go wrong, command: \"sh -c 'echo the token is {{ api_token }}, the number {{ plain }} >&2; exit 3'\"}",
    )
    document = replace(local("one", api_token="tops3cret", plain="1234567"), secret=("plain",))  # noqa: S106 # a test's
    with pytest.raises(KubesprayError) as error:
        bench.run(document)
    text = str(error.value)
    assert "task “Go wrong” on a" in text
    assert "the token is [secret], the number [secret]" in text
    assert "`pulumi up`: it continues from here" in text
    log = Path(next(line.split(": ")[1] for line in text.splitlines() if line.startswith("The whole log: ")))
    assert "Go wrong" in log.read_text()
    for said in (text, log.read_text(), *bench.said):
        assert "tops3cret" not in said
        assert "1234567" not in said


def test_a_host_that_is_lost_is_named(bench: Bench) -> None:
    bench.playbook("{name: Reach, ping: }")
    nobody = {"ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_user": "nobody"}
    with pytest.raises(KubesprayError) as error:
        bench.run(replace(local("one"), hosts={"a": nobody}))
    assert "task “Reach” on a:" in str(error.value)
    assert "Connection refused" in str(error.value)


def test_a_playbook_that_is_no_playbook_fails_in_words(bench: Bench) -> None:
    (bench.source / "cluster.yml").write_text("- hosts: [\n")
    with pytest.raises(KubesprayError, match="Ansible ended without a failed task; the end of the log has the reason"):
        bench.run(local("one"))


def test_progress_is_short_and_says_how_far_it_is(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("multus_site.kubespray.progress.EVERY_SECONDS", 0.0)
    bench.playbook(
        "{name: First, ping: }", "{name: Second, ping: }", "{name: Third, command: 'true', changed_when: false}"
    )
    bench.run(local("one"))
    third = next(line for line in bench.said if "Third" in line)
    assert third.endswith("play 1 of 1, task 3 of about 3: Third")
    assert max(map(len, bench.said)) <= 160


def test_two_stacks_at_once_do_not_meet(bench: Bench) -> None:
    """Each playbook waits for the other to be at work: they do run at once, from one source."""
    bench.playbook(
        f"shell: touch {bench.folder}/{{{{ site_name }}}}",
        f"wait_for: {{path: '{bench.folder}/{{{{ other }}}}', timeout: 60}}",
        f"copy: {{dest: '{bench.folder}/{{{{ site_name }}}}.seen', content: '{{{{ [site_name, inventory_dir, other] | to_json }}}}'}}",
        facts="true",
    )
    with ThreadPoolExecutor(2) as pool:
        runs = [
            pool.submit(bench.run, replace(local(site, other=other), known_hosts=f"{site} ssh-ed25519 AAAA\n"))
            for site, other in (("one", "two"), ("two", "one"))
        ]
        places = {run.result(120).folder.parent.name: run.result() for run in runs}
    for site, other in (("one", "two"), ("two", "one")):
        place = places[site]
        assert json.loads((bench.folder / f"{site}.seen").read_text()) == [site, str(place.folder), other]
        assert place.known_hosts.read_text().startswith(f"{site} ")
        assert [path.name for path in place.facts.iterdir()] == ["a"]
        (log,) = (place.folder / "log").glob("*.log")
        assert "failed=0" in log.read_text()
    assert not (bench.folder / "shared-facts").exists()


def test_variables_of_the_person_s_own_ansible_do_not_hold(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSIBLE_FORCE_HANDLERS", "True")
    monkeypatch.setenv("ANSIBLE_STRATEGY", "free")
    monkeypatch.setenv("VIRTUAL_ENV", "/nowhere")
    bench.playbook(
        f'copy: {{dest: {bench.folder}/env, content: \'{{{{ lookup("pipe", "env") }}}}\'}}',
    )
    bench.run(local("one"))
    seen = (bench.folder / "env").read_text()
    assert "ANSIBLE_HOST_KEY_CHECKING=True" in seen
    for name in ("ANSIBLE_FORCE_HANDLERS", "ANSIBLE_STRATEGY", "VIRTUAL_ENV", "PYTHONPATH"):
        assert f"{name}=" not in seen


def test_an_ignored_failure_is_none(bench: Bench) -> None:
    bench.playbook("{command: 'false', ignore_errors: true}")
    bench.run(local("one"))


def test_a_prompt_does_not_hang(bench: Bench) -> None:
    bench.playbook("pause: {prompt: Sure?}")
    started = time.monotonic()
    bench.run(local("one"))
    assert time.monotonic() - started < 30


def test_the_key_is_ours_alone_and_there_only_during_the_run(bench: Bench) -> None:
    bench.playbook(f"shell: stat -c %a {bench.folder}/.work/one/kubespray/keys/node.key > {bench.folder}/mode")
    workplace = bench.run(local("one"))
    assert (bench.folder / "mode").read_text().strip() == "600"
    bench.stack.close()
    assert not workplace.keys.exists()


SLEEPER = """
import sys
from contextlib import ExitStack
sys.path.insert(0, {project!r})
from pathlib import Path
from tests.kubespray.test_run import Bench, local
from multus_site.kubespray import __main__ as program
import queue
import shutil
import signal
signal.signal(signal.SIGTERM, program._cancel)
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
    # From a folder and with an environment that say nothing of where the package is.
    runner = subprocess.Popen(
        [sys.executable, "-c", SLEEPER.format(project=str(PROJECT))],
        cwd=bench.folder,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
    )
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
    with Workplace.for_site("one").lock():
        assert not (bench.folder / ".work/one/kubespray/keys").exists()


@pytest.mark.usefixtures("bench")
def test_two_runs_of_one_stack_do_not_overlap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("multus_site.kubespray.folders.LOCK_SECONDS", 0.1)
    with Workplace.for_site("one").lock(), pytest.raises(KubesprayError, match="another run"):
        Workplace.for_site("one").lock()


def test_a_run_has_a_time_limit(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("multus_site.kubespray.run.playbook_seconds", lambda _hosts: 15.0)
    mark = bench.folder / "child"
    bench.playbook(f"{{name: Forever, shell: 'echo $$ > {mark}; sleep 986'}}")
    with pytest.raises(
        KubesprayError,
        match="task “Forever” on every host:\n    the playbook did not finish within its time limit of 0:15",
    ):
        bench.run(local("one"))
    assert not Path(f"/proc/{mark.read_text().strip()}").exists()
