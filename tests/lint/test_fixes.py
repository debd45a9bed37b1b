"""--fix: what it changes, word for word, and that it changes nothing else."""

import copy
import json

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from multus_site.lint.files import Linter
from multus_site.lint.fixes import fix

RIGHT = {
    "cniVersion": "1.0.0",
    "name": "internal",
    "type": "macvlan",
    "master": "ens6",
    "mode": "bridge",
    "mtu": 1500,
    "ipam": {"type": "host-local", "subnet": "10.1.10.0/24", "rangeStart": "10.1.10.200", "routes": [{"dst": "10.2.0.0/16"}]},
}  # fmt: skip


def check(text, file="net.json"):
    linter = Linter()
    linter.add(text, file)
    shown = set(linter.findings())
    return [located for located in linter.found if located.finding in shown]


def fixed(text, file="net.json"):
    return fix(text, lambda changed: check(changed, file))


CASES = [
    # what is written, what it becomes, the rule
    ('"subnet": "10.1.10.0/24"', '"subnet": "10.1.10.7/24"', "HOST_BITS_SET"),
    ('{"dst": "10.2.0.0/16"}', '{"dst": "10.2.3.4/16"}', "HOST_BITS_SET"),
    ('"mode": "bridge"', '"mode": "Bridge"', "ENUM"),
    ('"mtu": 1500', '"mtu": "1500"', "WRONG_TYPE"),
    ('"master": "ens6"', '"master": “ens6”', "JSON_SYNTAX"),
    ('"master": "ens6"', "\"master\": 'ens6'", "JSON_SYNTAX"),
    ('"routes": [{"dst": "10.2.0.0/16"}]', '"routes": {"dst": "10.2.0.0/16"}', "WRONG_TYPE"),
    ('[{"dst": "10.2.0.0/16"}]}', '[{"dst": "10.2.0.0/16"},]}', "JSON_TRAILING_COMMA"),
    ('"rangeStart": "10.1.10.200"', '"range_start": "10.1.10.200"', "IPAM_KEY_FOR_OTHER_PLUGIN"),
    ('"subnet": "10.1.10.0/24"', '"range": "10.1.10.0/24"', "IPAM_KEY_FOR_OTHER_PLUGIN"),
    ('"type": "host-local", ', '"type": "host-local", "cniVersion": "0.3.1", ', "CNIVERSION_MISPLACED"),
]  # fmt: skip


@pytest.mark.parametrize(("right", "wrong", "rule"), CASES)
def test_a_fix_changes_these_characters_alone(right, wrong, rule):
    text = json.dumps(RIGHT)
    assert text.count(right) == 1
    broken = text.replace(right, wrong)
    assert rule in {located.finding.rule for located in check(broken)}
    done = fixed(broken)
    assert done.text == text
    assert {located.finding.rule for located in done.fixed} == {rule}


def test_whereabouts_excludes_networks():
    ipam = {"type": "whereabouts", "range": "10.1.10.0/24"}
    text = json.dumps({**RIGHT, "ipam": {**ipam, "exclude": ["10.1.10.1-10.1.10.6", "10.1.10.8/29"]}})
    right = json.dumps({**RIGHT, "ipam": {**ipam, "exclude": ["10.1.10.1/32", "10.1.10.2/31", "10.1.10.4/31", "10.1.10.6/32", "10.1.10.8/29"]}})  # fmt: skip
    assert fixed(text).text == right
    text = json.dumps({**RIGHT, "ipam": {**ipam, "exclude": "10.1.10.8/29"}})
    assert fixed(text).text == text.replace('"10.1.10.8/29"', '["10.1.10.8/29"]')


def test_a_version_moves_to_the_top():
    text = json.dumps({"name": "n", "plugins": [{"cniVersion": "1.0.0", "type": "macvlan", "master": "ens6"}]})
    assert fixed(text).text == json.dumps(
        {"cniVersion": "1.0.0", "name": "n", "plugins": [{"type": "macvlan", "master": "ens6"}]}
    )
    two = {"name": "n", "plugins": [{"cniVersion": "1.0.0", "type": "macvlan", "master": "ens6"}, {"cniVersion": "0.4.0", "type": "tuning"}]}  # fmt: skip
    assert "CNIVERSION_MISPLACED" in {located.finding.rule for located in check(json.dumps(two))}
    assert fixed(json.dumps(two)).text == json.dumps(two)


POD = """\
# of the first release
apiVersion: v1
kind: Pod
metadata:
  name: probe  # one
  annotations: {{k8s.v1.cni.cncf.io/networks: {value}}}
spec: {{containers: []}}
"""


@pytest.mark.parametrize("quote", ["'{}'", '"{}"'])
def test_a_name_with_its_namespace(quote):
    def written(value):
        return POD.format(value=quote.format(value.replace('"', '\\"') if quote[0] == '"' else value))

    text = written('[{"name": "telecom/internal"}]')
    assert fixed(text, "pod.yaml").text == written('[{"namespace": "telecom", "name": "internal"}]')
    same = written('[{"namespace": "telecom", "name": "telecom/internal"}]')
    assert fixed(same, "pod.yaml").text == written('[{"namespace": "telecom", "name": "internal"}]')
    other = written('[{"namespace": "radio", "name": "telecom/internal"}]')
    assert fixed(other, "pod.yaml").text == other


def test_an_allowed_finding_stays():
    text = "# multus-site: allow ENUM the plugin is our own\n" + json.dumps({**RIGHT, "mode": "Bridge"})
    assert fixed(text, "net.yaml").text == text


def test_two_right_answers_are_no_fix():
    for wrong in ({"mode": "bridged"}, {"mtu": "a lot"}, {"master": 6.5, "mode": "l2"}):
        text = json.dumps({**RIGHT, **wrong})
        assert check(text)
        assert "mode" not in wrong or json.loads(fixed(text).text)["mode"] == wrong["mode"]
    both = json.dumps({**RIGHT, "ipam": {"type": "host-local", "subnet": "10.1.10.0/24", "range": "10.1.11.0/24"}})
    assert fixed(both).text == both


STYLES = {
    "json": lambda config: config,
    "nested json": lambda config: json.dumps(_nad(config)),
    "single quotes": lambda config: NAD.format(config="'" + config.replace("'", "''") + "'"),
    "double quotes": lambda config: NAD.format(config=json.dumps(config, ensure_ascii=False)),
    "block": lambda config: NAD.format(config="|-\n    " + config.replace("\n", "\n    ")),
    "folded": lambda config: NAD.format(config=">-\n    " + config.replace(", ", ",\n    ")),
    "line ends of Windows": lambda config: NAD.format(config="|-\n    " + config).replace("\n", "\r\n"),
    "byte order mark": lambda config: "\ufeff" + NAD.format(config="'" + config.replace("'", "''") + "'"),
}  # fmt: skip
NAD = """\
# comment: "stays"
apiVersion: k8s.cni.cncf.io/v1
kind: NetworkAttachmentDefinition
metadata: {{name: internal}}   # so does this
spec:
  config: {config}
"""


def _nad(config):
    return {
        "apiVersion": "k8s.cni.cncf.io/v1",
        "kind": "NetworkAttachmentDefinition",
        "metadata": {"name": "internal"},
        "spec": {"config": config},
    }


def _config(text, file):
    data = yaml.safe_load(text)
    return data if file == "json" else json.loads(data["spec"]["config"])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sets(st.sampled_from(range(len(CASES))), min_size=1), st.sampled_from(sorted(STYLES)), st.booleans())
def test_whatever_is_fixed_is_gone_and_all_else_stays(chosen, style, spread):
    right = json.dumps(RIGHT)
    broken = right
    for i in sorted(chosen):
        if broken.count(CASES[i][0]) == 1:
            broken = broken.replace(CASES[i][0], CASES[i][1])
    if spread and style in {"json", "block", "nested json"}:
        right, broken = (text.replace(", ", ",\n  ") for text in (right, broken))
    file = "net.json" if "json" in style else "net.yaml"
    text, expected = STYLES[style](broken), STYLES[style](right)
    done = fixed(text, file)
    assert [located for located in check(done.text, file) if located.changes] == []
    assert _config(done.text, style) == RIGHT
    if "“" not in broken:
        assert done.text == expected
    assert fixed(done.text, file).text == done.text


def test_nothing_to_fix_is_nothing_changed():
    for text in ("", "{", "a: [", json.dumps(RIGHT), "\ufeff", "\r\n\r\n", json.dumps(copy.deepcopy([RIGHT]))):
        assert fixed(text).text == text
        assert fixed(text, "f.yaml").text == text
