"""Files: documents, positions, comments that allow findings, files of a folder that are skipped."""

import json

import pytest
import yaml

NAD = """\
apiVersion: k8s.cni.cncf.io/v1
kind: NetworkAttachmentDefinition
metadata:
  name: n
spec:
  config: {config}
"""
BAD = '{"cniVersion": "1.0.0", "name": "n", "type": "vlan", "master": "eth1", "vlanId": 4095, "ipam": {"type": "dhcp"}}'


def places(found):
    return [(f.rule, f.document, f.line, f.column, f.path) for f in found]


FORMS = [
    # the same mistake in every form of YAML's scalars: the place of 4095 in the file
    (f"'{BAD}'", 6, 12 + BAD.index("4095")),
    (json.dumps(BAD), 6, 11 + json.dumps(BAD).index("4095")),
    ("|\n    " + BAD.replace(', "vlanId"', ',\n     "vlanId"'), 8, 16),
    ("|-\n    " + BAD.replace(', "vlanId"', ',\n\n    "vlanId"'), 9, 15),
    (">-\n    " + BAD.replace(', "vlanId"', ',\n    "vlanId"'), 8, 15),
    ("'" + BAD.replace(', "vlanId"', ',\n      "vlanId"') + "'", 7, 17),
    ('"' + BAD.replace('"', '\\"').replace(', \\"vlanId', ',\\\n     \\"vlanId') + '"', 7, 18),
    ("'" + BAD.replace('"eth1"', "\"it''s\"").replace(', "vlanId"', ',\n\n      "vlanId"') + "'", 8, 17),
]


@pytest.mark.parametrize(
    ("config", "line", "column"),
    FORMS,
    ids=["single", "double", "literal", "blank", "folded", "lines", "escaped", "quotes"],
)
def test_place_in_any_form(config, line, column, findings):
    found = findings({"f.yaml": NAD.format(config=config)})
    assert places(found) == [("VLAN_ID", 1, line, column, "spec.config.vlanId")]


def test_place_in_json_inside_json(findings):
    manifest = {
        "apiVersion": "k8s.cni.cncf.io/v1",
        "kind": "NetworkAttachmentDefinition",
        "metadata": {"name": "n"},
        "spec": {"config": BAD},
    }
    text = json.dumps(manifest, indent=2)
    found = findings({"f.json": text})
    line = text.splitlines()[found[0].line - 1]
    assert [f.rule for f in found] == ["VLAN_ID"]
    assert line[found[0].column - 1 :].startswith("4095")


def test_place_of_a_syntax_error(findings):
    text = NAD.format(config='|\n    {\n      "cniVersion": "1.0.0", "type": "macvlan"\n      "master": "eth1"\n    }')
    assert places(findings({"f.yaml": text})) == [("JSON_SYNTAX", 1, 9, 7, "spec.config")]


def test_what_is_wrong_behind_broken_json_is_told_too(findings):
    config = """|
    {
      # for signalling
      “cniVersion”: "1.0.0",
      "name": "n"
      "type": "vlan", 'master': "eth1", "linkInContainer": False,
      "vlanId": 4095, // the last one
      "ipam": {"type": "dhcp",},
    }"""
    assert places(findings({"f.yaml": NAD.format(config=config)})) == [
        ("JSON_COMMENT", 1, 8, 7, "spec.config"),
        ("JSON_SYNTAX", 1, 9, 7, "spec.config"),
        ("JSON_SYNTAX", 1, 11, 7, "spec.config"),
        ("JSON_SYNTAX", 1, 11, 23, "spec.config"),
        ("JSON_SYNTAX", 1, 11, 60, "spec.config"),
        ("VLAN_ID", 1, 12, 17, "spec.config.vlanId"),
        ("JSON_COMMENT", 1, 12, 23, "spec.config"),
        ("JSON_TRAILING_COMMA", 1, 13, 30, "spec.config"),
        ("JSON_TRAILING_COMMA", 1, 13, 32, "spec.config"),
    ]


def test_what_is_wrong_behind_broken_json_in_a_file_of_json(findings):
    found = findings({"f.json": '{"cniVersion": "1.0.0", "name": "n",\n "type": "macvlan", "mode": "l2",}'})
    assert places(found) == [("ENUM", 1, 2, 29, "mode"), ("JSON_TRAILING_COMMA", 1, 2, 33, "")]


def test_half_a_character_is_replaced(findings):
    found = findings(
        {
            "f.json": r'{"cniVersion": "1.0.0", "name": "n", "type": "macvlan", "master": "e\ud800/1", "mode": "\ud83d\ude00"}'
        }
    )
    assert [f.rule for f in found] == ["INTERFACE_NAME", "ENUM"]
    assert all(f.line_of_text().encode() for f in found)


def test_a_kind_that_is_misspelt_hides_nothing(findings):
    text = NAD.format(config=f"'{BAD}'").replace("AttachmentDefinition", "AttachementDefinition")
    assert [f.rule for f in findings({"f.yaml": text})] == ["WRONG_KIND", "VLAN_ID"]


@pytest.mark.parametrize("kind", ["List", "NetworkAttachmentDefinitionList"])
def test_items_of_lists(kind, findings):
    item = {"metadata": {"name": "n"}, "spec": {"config": BAD}}
    version = "k8s.cni.cncf.io/v1"
    if kind == "List":
        item, version = {"apiVersion": version, "kind": "NetworkAttachmentDefinition", **item}, "v1"
    text = json.dumps({"apiVersion": version, "kind": kind, "items": [item, item]})
    found = findings({"f.json": text})
    assert [(f.rule, f.path) for f in found] == [("VLAN_ID", f"items[{i}].spec.config.vlanId") for i in (0, 1)]


def test_documents_are_counted_and_a_broken_one_hides_no_other(findings):
    good, bad = NAD.format(config=f"'{BAD}'"), "kind: [\n"
    found = findings({"f.yaml": f"# first\n---\n{good}---\n{bad}---\n---\n{good}"})
    assert [(f.rule, f.document, f.line) for f in found] == [
        ("VLAN_ID", 1, 8),
        ("YAML_SYNTAX", 2, 10),
        ("VLAN_ID", 3, 18),
    ]


def test_windows_line_ends_and_byte_order_mark(findings):
    text = "\ufeff" + NAD.format(config=f"'{BAD}'").replace("\n", "\r\n")
    assert places(findings({"f.yaml": text})) == [("VLAN_ID", 1, 6, 12 + BAD.index("4095"), "spec.config.vlanId")]


def test_lists_of_objects(findings):
    item = NAD.format(config=f"'{BAD}'").replace("\n", "\n    ").rstrip()
    found = findings({"f.yaml": f"apiVersion: v1\nkind: List\nitems:\n  - {item}\n"})
    assert [(f.rule, f.path) for f in found] == [("VLAN_ID", "items[0].spec.config.vlanId")]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("a: 1\na: 2\n", "YAML_SYNTAX"),
        ("a: &x [*x]\n", "YAML_SYNTAX"),
        ("? [a]\n: b\n", "YAML_SYNTAX"),
        ("a: !!python/object:os.system x\n", None),
        ("a: \x01\n", "YAML_SYNTAX"),
        ("<<: 5\n", "YAML_SYNTAX"),
        ("just text\n", None),
        ("- a\n- b\n", None),
        ("", None),
        ("# nothing\n", None),
        ("kind: ConfigMap\napiVersion: v1\n", None),
        ("mac: 02:00:0a:01:0a:05\nwhen: 2020-01-01\n", None),
    ],
)
def test_yaml_of_all_kinds(text, rule, findings):
    assert [f.rule for f in findings({"f.yaml": text})] == ([rule] if rule else [])


def test_alias_bomb(findings):
    bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 10)}]\n" for i in range(8)
    )
    assert [f.rule for f in findings({"f.yaml": bomb})] == ["YAML_SYNTAX"]


@pytest.mark.parametrize(
    ("comment", "left"),
    [
        ("  # lint: allow VLAN_ID the switch really does that", []),
        ("  #lint:allow VLAN_ID the switch really does that", []),
        ("  # lint: allow VLAN_ID", ["ALLOW_COMMENT", "VLAN_ID"]),
        ("  # lint: allow MTU_GT_MASTER other rule", ["VLAN_ID"]),
        ("  # lint: allow VLANID no such rule", ["ALLOW_COMMENT", "VLAN_ID"]),
        ("  # VLAN_ID is fine", ["VLAN_ID"]),
        ("  # lint: allow VLAN_ID reason\n  # another comment\n", []),
    ],
)
def test_comment_allows(comment, left, findings):
    text = NAD.format(config=f"'{BAD}'").replace("  config:", f"{comment}\n  config:")
    assert sorted(f.rule for f in findings({"f.yaml": text})) == left


def test_comment_behind_a_block(findings):
    text = NAD.format(config="|  # lint: allow VLAN_ID reason\n    " + BAD)
    assert findings({"f.yaml": text}) == []


def test_comment_allows_one_finding_in_one_place(findings):
    allowed = NAD.format(config=f"'{BAD}'").replace("  config:", "  # lint: allow VLAN_ID reason\n  config:")
    assert [(f.rule, f.document) for f in findings({"f.yaml": f"{allowed}---\n{NAD.format(config=repr(BAD))}"})] == [
        ("VLAN_ID", 2)
    ]
    twice = BAD.replace('"vlanId": 4095', '"vlanId": "x"').replace('"master": "eth1"', '"master": 1')
    text = NAD.format(config=f"'{twice}'").replace("  config:", "  # lint: allow WRONG_TYPE reason\n  config:")
    assert [f.rule for f in findings({"f.yaml": text})] == ["WRONG_TYPE"]


def test_comment_in_another_place_allows_nothing(findings):
    text = "# lint: allow VLAN_ID reason\n" + NAD.format(config=f"'{BAD}'")
    assert [f.rule for f in findings({"f.yaml": text})] == ["VLAN_ID"]


def test_what_looks_like_a_comment_inside_a_text(findings):
    text = NAD.format(config=f"'{BAD}'") + "  note: |\n    # lint: allow NOTHING\n  other: 'x # lint: allow NOTHING'\n"
    assert [f.rule for f in findings({"f.yaml": text})] == ["VLAN_ID"]


@pytest.mark.parametrize(
    "text",
    [
        '{"type": "module", "name": "x", "dependencies": {}}',
        '{"compilerOptions": {"a": 1,}}',
        "{{ helm template }}: [",
        '{"type": "object"}',
        "[1, 2]",
    ],
)
@pytest.mark.parametrize("name", ["package.json", "values.yaml"])
def test_files_of_a_folder_that_are_not_ours(text, name):
    from multus_site.lint.files import Linter

    linter = Linter()
    linter.add(text, name, sure=True)
    assert linter.findings() == []


def test_bare_configurations(findings):
    assert [f.rule for f in findings({"-": BAD})] == ["VLAN_ID"]
    assert [f.rule for f in findings({"-": "cniVersion: 1.0.0\nname: n\ntype: dummy\n"})] == ["IPAM_REQUIRED"]
    assert [f.rule for f in findings({"-": '{"type": "host-local"}'})] == ["NO_RANGES"]
    assert [f.rule for f in findings({"x.json": "[]"})] == []


def test_operator_objects(findings):
    network = 'apiVersion: sriovnetwork.openshift.io/v1\nkind: SriovNetwork\nmetadata: {name: n}\nspec:\n  resourceName: r\n  vlan: 4095\n  ipam: \'{"type": "host-local"}\'\n  speed: 1\n'
    assert sorted(f.rule for f in findings({"f.yaml": network})) == ["NO_RANGES", "UNKNOWN_KEY_FOR_TYPE", "VLAN_ID"]


@pytest.mark.parametrize(
    ("value", "left"),
    [
        ("VLAN_ID the switch really does that", []),
        ("VLAN_ID", ["ALLOW_COMMENT", "VLAN_ID"]),
        ("VLANID no such rule", ["ALLOW_COMMENT", "VLAN_ID"]),
        ("''", ["ALLOW_COMMENT", "VLAN_ID"]),
        ("[VLAN_ID, x]", ["ALLOW_COMMENT", "VLAN_ID"]),
        ("|\n      VLAN_ID reason\n      MTU_GT_MASTER another", []),
    ],
)
def test_annotation_allows(value, left, findings):
    metadata = f"metadata:\n  annotations:\n    multus-site.io/allow: {value}\n"
    text = NAD.format(config=f"'{BAD}'").replace("metadata:\n", metadata)
    assert "multus-site.io" in text
    assert sorted(f.rule for f in findings({"f.yaml": text})) == left


def test_annotation_allows_in_its_object_alone(findings):
    other = NAD.format(config=f"'{BAD}'")
    allowed = other.replace("metadata:\n", "metadata:\n  annotations: {multus-site.io/allow: VLAN_ID reason}\n")
    assert [(f.rule, f.document) for f in findings({"f.yaml": f"{allowed}---\n{other}"})] == [("VLAN_ID", 2)]
    inside = "apiVersion: v1\nkind: List\nitems:\n" + "".join(
        "- " + text.strip().replace("\n", "\n  ") + "\n" for text in (allowed, other)
    )
    assert [f.path.partition(".")[0] for f in findings({"f.yaml": inside})] == ["items[1]"]
    as_json = json.dumps([yaml.safe_load(allowed), yaml.safe_load(other)])
    text = f'{{"apiVersion": "v1", "kind": "List", "items": {as_json}}}'
    assert [f.path.partition(".")[0] for f in findings({"f.json": text})] == ["items[1]"]


POD = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: probe{workload}}}
spec:
  template:
    metadata:
      annotations:
        k8s.v1.cni.cncf.io/networks: internal,,external
{template}
    spec: {{containers: []}}
"""


def test_annotation_of_a_workload_or_of_its_pods(findings):
    allow = "multus-site.io/allow: ANNOTATION_EMPTY_ITEM reason"
    for workload, template, left in (
        ("", "", ["ANNOTATION_EMPTY_ITEM"]),
        (f", annotations: {{{allow}}}", "", []),
        ("", f"        {allow}", []),
    ):
        found = findings({"f.yaml": POD.format(workload=workload, template=template)})
        assert [f.rule for f in found if f.rule == "ANNOTATION_EMPTY_ITEM"] == left, (workload, template)
