"""Templates that are not rendered: reported once, and what they leave known is checked."""

import pytest

from multus_site.lint.files import Linter
from multus_site.lint.placeholders import masked

NAD = """\
apiVersion: k8s.cni.cncf.io/v1
kind: NetworkAttachmentDefinition
metadata: {{name: {name}}}
spec:
  config: '{{"cniVersion": "1.0.0", "name": {quoted}, "type": "macvlan", "master": {quoted}, "mtu": {bare}, "ipam": {ipam}}}'
"""
GOOD = '{"type": "dhcp"}'
COMMA = '{"type": "dhcp",}'


def nad(placeholder, ipam=GOOD):
    return NAD.format(name=placeholder, quoted=f'"{placeholder}"', bare=placeholder, ipam=ipam)


@pytest.mark.parametrize(
    ("placeholder", "level"),
    [
        ("{{ .Values.name }}", "error"),
        ("{{name}}", "error"),
        ('{{ include "chart.name" . }}', "error"),
        ("${NAME}", "warning"),
        ("${NAME:-default}", "warning"),
        ("$NAME", "warning"),
        ("$(NAME)", "warning"),
    ],
)
def test_a_template_is_reported_once_and_the_rest_is_checked(placeholder, level, findings):
    assert [(f.rule, f.level) for f in findings({"x.yaml": nad(placeholder)})] == [("UNRENDERED_TEMPLATE", level)]
    found = findings({"x.yaml": nad(placeholder, COMMA)})
    assert {f.rule for f in found} == {"UNRENDERED_TEMPLATE", "JSON_TRAILING_COMMA"}
    comma = next(f for f in found if f.rule == "JSON_TRAILING_COMMA")
    line = nad(placeholder, COMMA).splitlines()[comma.line - 1]
    assert line[comma.column - 1 :].startswith(",}")


@pytest.mark.parametrize(
    "text",
    [
        'kind: Pod\nmetadata: {name: p}\nspec: {containers: [{args: ["$(POD_IP)", "$HOME", "{{ x }}"]}]}\n',
        "kind: PrometheusRule\nspec: {summary: '{{ $labels.pod }} is down'}\n",
        "on: push\njobs: {x: {steps: [{run: '${{ github.ref }}'}]}}\n",
        "kind: Template\napiVersion: template.openshift.io/v1\nobjects:\n- "
        + nad("${NAME}").replace("\n", "\n  ").strip(),
        "$patch: delete\nkind: Pod\n",
    ],
)
def test_placeholders_that_are_nobodys_mistake(text, findings):
    assert findings({"x.yaml": text}) == []


def test_a_broken_template_of_a_folder_is_reported_only_where_it_is_ours():
    for text, expected in ((nad("{{ x }}") + "{{- end }}\n: :\n", 1), ("{{- if x }}\nkind: Service\n: :\n", 0)):
        linter = Linter()
        linter.add(text, "templates/x.yaml", sure=True)
        assert len([f for f in linter.findings() if f.rule == "UNRENDERED_TEMPLATE"]) == expected


@pytest.mark.parametrize("placeholder", ["{{ a }}", "${A}", "$A", "$(A)", "{% if a %}", "{{/* a\n b */}}", "${{A}}"])
def test_places_stay_the_same(placeholder):
    text = f"a: 1\nb: {placeholder}\nc: 'x {placeholder} y'\n"
    mask = masked(text)
    assert len(mask.text) == len(text)
    assert mask.text.count("\n") == text.count("\n")
    assert placeholder not in mask.text
    assert mask.text.endswith(" y'\n")
    assert masked("a: $$ {b} 100$ {}") == masked("a: $$ {b} 100$ {}")
    assert masked("a: 100$").found == ()


def test_equal_placeholders_are_equal_values(findings):
    text = nad("{{ a }}").replace('"{{ a }}"', '"{{ b }}"', 1)
    assert {f.rule for f in findings({"x.yaml": text})} == {"UNRENDERED_TEMPLATE"}


def test_statements_alone_make_a_template(findings):
    text = "{{- if .Values.enabled }}\n" + nad("a").replace('"mtu": a', '"mtu": 1500') + "{{- end }}\n"
    assert [(f.rule, f.line) for f in findings({"x.yaml": text})] == [("UNRENDERED_TEMPLATE", 1)]
