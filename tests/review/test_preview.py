"""What is taken out of pulumi's JSON, and what is left to the engine."""

from multus_site.review.preview import read

OWNER = "urn:pulumi:s::multus-site::multus-site:index:Site$multus-site:index:Workload$"
UNKNOWN = (
    "warning: The provider for this resource has inputs that are not known during preview.\nThis preview may not …\n"
)


def step(op, name="s-core", kind="kubernetes:apps/v1:Deployment", old=None, new=None, **more):
    return {
        "op": op,
        "urn": f"{OWNER}{kind}::{name}",
        "oldState": {"inputs": old or {}},
        "newState": {"inputs": new or {}},
        **more,
    }


def test_where_the_engine_calls_everything_changed_inputs_decide():
    same = step("update", old={"spec": {"replicas": 1}}, new={"spec": {"replicas": 1}})
    other = step("update", "s-edge", old={"spec": {"replicas": [1, 2]}}, new={"spec": {"replicas": [1, 3]}})
    found = read(
        {
            "steps": [same, other],
            "changeSummary": {"same": 4, "update": 2},
            "diagnostics": [{"severity": "warning", "message": UNKNOWN}],
        }
    )
    assert [(s.name, s.paths) for s in found.steps] == [("s-edge", ("spec.replicas[1]",))]
    assert found.counts == {"update": 1, "same": 5}
    assert found.by_inputs


def test_a_replacement_is_one_step_with_what_forces_it():
    steps = [
        step(op, replaceReasons=["spec.selector"], detailedDiff={"spec.x": {}})
        for op in ("create-replacement", "replace", "delete-replaced")
    ]
    (found,) = read({"steps": steps}).steps
    assert (found.op, found.owner, found.paths) == ("replace", "Workload", ("spec.selector",))


def test_providers_and_the_stack_are_the_engine_s():
    urns = (
        "urn:pulumi:s::multus-site::pulumi:pulumi:Stack::x",
        "urn:pulumi:s::multus-site::multus-site:index:Site$pulumi:providers:command::y",
    )
    assert read({"steps": [{"op": "create", "urn": urn} for urn in urns]}).steps == ()


def test_each_line_once_without_colours_and_chatter():
    said = [
        {"severity": "error", "message": "<{%reset%}>error: a: b\nc: d<{%reset%}>\n"},
        {"severity": "error", "message": "error: a: b"},
        {"severity": "error", "message": "preview failed"},
        {"severity": "warning", "message": "warning: using pulumi-resource-command from $PATH at /x"},
        {"severity": "info", "message": "cluster.yml: first run"},
    ]
    found = read({"diagnostics": said})
    assert (found.errors, found.warnings) == (("a: b", "c: d"), ())


def test_that_the_program_ended_is_told_where_nothing_else_is():
    ended = {
        "severity": "error",
        "message": "error: an unhandled error occurred: program exited with non-zero exit code: 1",
    }
    why = {"severity": "error", "message": "error: multus-site:sshPrivateKey is not set"}
    assert read({"diagnostics": [why, ended]}).errors == ("multus-site:sshPrivateKey is not set",)
    (alone,) = read({"diagnostics": [ended]}).errors
    assert alone.startswith("an unhandled error occurred")
    printed = [
        {"severity": "info#err", "message": f"{line}\n"} for line in ("Traceback", "  File x", "KeyError: 'site'")
    ]
    assert read({"diagnostics": [*printed, ended]}).errors == (alone, "the program's last output: KeyError: 'site'")
    lacking = {"severity": "info#err", "message": "ModuleNotFoundError: No module named 'pulumi'\n"}
    (told,) = read({"diagnostics": [lacking, ended]}).errors
    assert "has no module pulumi; type: pulumi install" in told


def test_steps_are_in_the_order_of_a_person():
    names = ["s-node10-x", "s-node9-x", "s-node1-x"]
    found = read({"steps": [step("create", name) for name in names]})
    assert [s.name for s in found.steps] == names[::-1]
