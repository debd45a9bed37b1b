"""Ansible's slowest tasks, out of the events of a run."""

import json

from multus_site.kubespray.folders import Workplace
from multus_site.kubespray.progress import slowest

EVENTS = [
    {"event": "start", "time": 100.0, "plays": 2},
    {"event": "play", "time": 100.1, "name": "Hosts"},
    {"event": "task", "time": 100.2, "name": "gather facts"},
    {"event": "ok", "time": 103.0, "host": "node1"},
    {"event": "task", "time": 103.2, "name": "kubeadm init"},
    {"event": "play", "time": 143.2, "name": "Network"},
    {"event": "task", "time": 144.0, "name": "flannel"},
    {"event": "ok", "time": 146.5, "host": "node1"},
]


def write(tmp_path, monkeypatch, extra=""):
    monkeypatch.chdir(tmp_path)
    log = Workplace.for_site("lab").folder / "log" / "20261124-100000-cluster.events"
    log.write_text("".join(f"{json.dumps(event)}\n" for event in EVENTS) + extra)


def test_the_longest_task_comes_first(tmp_path, monkeypatch):
    write(tmp_path, monkeypatch)
    assert slowest("lab", 0) == [("kubeadm init", 40.0), ("gather facts", 3.0), ("flannel", 2.5)]


def test_earlier_runs_do_not_count_and_broken_lines_neither(tmp_path, monkeypatch):
    write(tmp_path, monkeypatch, 'no JSON\n[]\n{"time": 1}\n{"event": "ta')
    assert slowest("lab", 101) == []
    assert len(slowest("lab", 100)) == 3
