"""The stack's state is read before the engine is asked for anything that makes it write; what another process writes is awaited."""

import grpc
import pulumi
import pytest

from components import pulumi_state
from tests.graph.recording import Answers, lab_site, record, record_program

STACK = "urn:pulumi:lab::multus-site::pulumi:pulumi:Stack::multus-site-lab"


class HalfWritten(grpc.RpcError):
    """What the engine answers while the file is half written."""

    def __str__(self):
        return "failed to load checkpoint: EOF"


class Reads(Answers):
    """Fails `failures` times, then answers; keeps the order in which everything was asked."""

    def __init__(self, failures=0, state=None):
        super().__init__(state)
        self.asked, self.failures = [], failures

    def call(self, args):
        self.asked.append(args.token)
        if self.failures:
            self.failures -= 1
            raise HalfWritten
        return super().call(args)

    def new_resource(self, args):
        self.asked.append(args.typ)
        return super().new_resource(args)


@pytest.fixture(autouse=True)
def waited(monkeypatch):
    """The seconds that were waited, without waiting."""
    waits = []
    monkeypatch.setattr(pulumi_state.time, "sleep", waits.append)
    return waits


@pytest.mark.parametrize("preview", [True, False])
def test_the_state_is_read_once_and_before_any_resource_is_registered(preview):
    answers = Reads()
    record(lab_site(), answers=answers, preview=preview)
    assert answers.asked[0] == "pulumi:pulumi:readStackResourceOutputs"
    assert answers.asked.count("pulumi:pulumi:readStackResourceOutputs") == 1
    assert len(answers.asked) > 10
    assert not [asked for asked in answers.asked if "StackReference" in asked]


def read(answers):
    found = []

    def program():
        found.append(pulumi_state.last_update())

    record_program(program, answers=answers)
    return found[0]


def test_two_hundred_reads_beside_a_writer_all_succeed():
    """By the number of half-written states that each of them meets: none to as many as it waits for."""
    state = {STACK: {"type": "pulumi:pulumi:Stack", "outputs": {"nodes": {"node1": {}}}}}
    for number in range(200):
        answers = Reads(number % (len(pulumi_state.WAITS) + 1), state)
        assert read(answers).outputs == {"nodes": {"node1": {}}}


def test_a_state_that_stays_damaged_is_an_error_within_ten_seconds(waited):
    with pytest.raises(
        pulumi.RunError, match=r"stack lab cannot be read: failed to load checkpoint: EOF\n.*docs/stacks.md"
    ):
        read(Reads(failures=1000))
    assert sum(waited) == pytest.approx(10)


def test_a_stack_that_was_never_updated_has_nothing():
    found = read(Reads())
    assert (dict(found.resources), dict(found.outputs)) == ({}, {})
