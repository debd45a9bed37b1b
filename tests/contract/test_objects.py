"""Kubernetes objects of any kind: their life, their names, their secrets, what a preview says, what a refresh sees."""

from __future__ import annotations

import base64

import pulumi
import pulumi_kubernetes as kubernetes
import pytest

from components.cluster_objects import ANNOTATION, field_manager
from tests.contract.project import Project

pytestmark = pytest.mark.engine
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
ATTACHMENTS = "k8s.cni.cncf.io"


def on(cluster, **other):
    """Options with an explicit provider for the cluster."""
    known = {"cluster_identifier": "contract", "enable_config_map_mutable": True}
    given = {"kubeconfig": pulumi.Output.secret(cluster.kubeconfig), **known, **other}
    return pulumi.ResourceOptions(provider=kubernetes.Provider("cluster", **given))


def config_map(cluster, name, data, **options):
    def program():
        kubernetes.core.v1.ConfigMap(
            "it",
            metadata={"name": name, "namespace": "default"} if name else {"namespace": "default"},
            data=data,
            opts=pulumi.ResourceOptions.merge(on(cluster), pulumi.ResourceOptions(**options)),
        )

    return program


def test_lives_in_the_cluster(project, cluster):
    program = config_map(cluster, "life", {"a": "1", "b": "2"})
    preview = project.preview(program)
    assert preview.count()["create"] == 1
    assert cluster.get(f"{CONFIG_MAPS}/life") is None
    first = project.up(program)
    assert first.ok, first.text
    assert project.resources()["it"]["id"] == "default/life"
    assert project.up(program).changes == []
    changed = project.up(config_map(cluster, "life", {"b": "3"}))
    assert changed.changes == [("update", "it")]
    # What the program no longer says goes away.
    assert cluster.get(f"{CONFIG_MAPS}/life")["data"] == {"b": "3"}
    assert project.up(config_map(cluster, "life", {})).ok
    assert "data" not in cluster.get(f"{CONFIG_MAPS}/life")
    assert project.destroy().ok
    assert cluster.get(f"{CONFIG_MAPS}/life") is None


def test_somebody_elses_object_is_not_taken_over(project, cluster):
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "theirs"}, "data": {"a": "theirs"}}
    cluster.post(CONFIG_MAPS, body)
    outcome = project.up(config_map(cluster, "theirs", {"a": "ours"}))
    assert not outcome.ok
    assert "already exists" in outcome.text
    assert project.resources() == {}
    assert cluster.get(f"{CONFIG_MAPS}/theirs")["data"] == {"a": "theirs"}


def site_s_own(cluster, name, data):
    """As a site makes its objects: applied where there already, by the site's field manager."""

    def program():
        kubernetes.core.v1.ConfigMap(
            "it",
            metadata={"name": name, "namespace": "default", "annotations": {ANNOTATION: field_manager("lab")}},
            data=data,
            opts=on(cluster, upsert_existing_objects=True),
        )

    return program


def test_what_a_killed_run_made_is_taken_up_and_becomes_what_is_wanted_now(project, cluster, tmp_path_factory):
    assert Project(tmp_path_factory.mktemp("killed")).up(site_s_own(cluster, "killed", {"a": "1", "b": "2"})).ok
    # A state that knows nothing of it, as after kill -9; and the site has changed since.
    outcome = project.up(site_s_own(cluster, "killed", {"b": "3"}))
    assert outcome.ok, outcome.text
    assert cluster.get(f"{CONFIG_MAPS}/killed")["data"] == {"b": "3"}
    assert project.up(site_s_own(cluster, "killed", {"b": "3"})).changes == []
    assert project.destroy().ok
    assert cluster.get(f"{CONFIG_MAPS}/killed") is None


def test_what_somebody_else_set_otherwise_is_a_conflict(project, cluster):
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "otherwise"}, "data": {"a": "theirs"}}
    cluster.post(CONFIG_MAPS, body)
    outcome = project.up(site_s_own(cluster, "otherwise", {"a": "ours"}))
    assert not outcome.ok
    assert "conflict" in outcome.text
    assert project.resources() == {}
    assert cluster.get(f"{CONFIG_MAPS}/otherwise")["data"] == {"a": "theirs"}


def test_a_name_is_made_up_and_kept(project, cluster):
    program = config_map(cluster, None, {"a": "1"})
    assert project.up(program).ok
    name = project.resources()["it"]["id"].partition("/")[2]
    assert name.startswith("it-")
    assert project.up(program).changes == []
    assert project.up(config_map(cluster, None, {"a": "2"})).changes == [("update", "it")]
    assert cluster.get(f"{CONFIG_MAPS}/{name}")["data"] == {"a": "2"}


def test_another_name_is_another_object(project, cluster):
    assert project.up(config_map(cluster, "before", {"a": "1"})).ok
    outcome = project.up(config_map(cluster, "after", {"a": "1"}))
    assert [operation for operation, _ in outcome.changes] == ["create-replacement", "replace", "delete-replaced"]
    assert cluster.get(f"{CONFIG_MAPS}/before") is None
    assert cluster.get(f"{CONFIG_MAPS}/after") is not None


def test_data_is_immutable_unless_the_provider_says_otherwise(project, cluster):
    def program(value):
        def graph():
            options = on(cluster, enable_config_map_mutable=False)
            here = {"namespace": "default"}
            for name, metadata in (("named", {**here, "name": "immutable"}), ("unnamed", here)):
                kubernetes.core.v1.ConfigMap(name, metadata=metadata, data={"a": value}, opts=options)
            kubernetes.core.v1.Secret("secret", metadata=here, string_data={"a": value}, opts=options)

        return graph

    assert project.up(program("1")).ok
    unnamed = project.resources()["unnamed"]["id"]
    outcome = project.up(program("2"))
    assert outcome.ok, outcome.text
    for name, first, then in (
        ("named", "delete-replaced", "create-replacement"),
        ("unnamed", "create-replacement", "delete-replaced"),
        ("secret", "create-replacement", "delete-replaced"),
    ):
        operations = [operation for operation, resource in outcome.changes if resource == name]
        assert operations.index(first) < operations.index(then)
    assert project.resources()["unnamed"]["id"] != unnamed
    assert cluster.get(f"{CONFIG_MAPS}/immutable")["data"] == {"a": "2"}


def test_what_cannot_change_is_deleted_and_made_again_under_its_name(project, cluster):
    def program(label):
        def graph():
            labels = {"app": label}
            kubernetes.apps.v1.Deployment(
                "it",
                metadata={"name": "selector", "namespace": "default", "annotations": {"pulumi.com/skipAwait": "true"}},
                spec={
                    "replicas": 1,
                    "selector": {"match_labels": labels},
                    "template": {
                        "metadata": {"labels": labels},
                        "spec": {"containers": [{"name": "main", "image": "busybox:1.36"}]},
                    },
                },
                opts=on(cluster),
            )

        return graph

    assert project.up(program("one")).ok
    assert project.up(program("one")).changes == []
    outcome = project.up(program("two"))
    assert outcome.ok, outcome.text
    operations = [operation for operation, _ in outcome.changes]
    assert operations.index("delete-replaced") < operations.index("create-replacement")
    live = cluster.get("/apis/apps/v1/namespaces/default/deployments/selector")
    assert live["spec"]["selector"]["matchLabels"] == {"app": "two"}
    assert project.destroy().ok


def test_preview_shows_what_the_server_would_refuse(project, cluster):
    outcome = project.preview(config_map(cluster, "Not_A_Name", {"a": "1"}))
    assert not outcome.ok
    assert "Not_A_Name" in outcome.text
    assert "RFC 1123" in outcome.text


def test_preview_of_an_update_asks_the_server_too(project, cluster):
    assert project.up(config_map(cluster, "refusable", {"a": "1"})).ok
    outcome = project.preview(config_map(cluster, "refusable", {"not a key": "1"}))
    assert not outcome.ok
    assert "not a key" in outcome.text
    assert cluster.get(f"{CONFIG_MAPS}/refusable")["data"] == {"a": "1"}


def test_a_namespace_and_what_is_in_it_come_together(project, cluster):
    def program():
        options = on(cluster)
        keep = pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(retain_on_delete=True))
        space = kubernetes.core.v1.Namespace("space", metadata={"name": "together"}, opts=keep)
        kubernetes.core.v1.ConfigMap(
            "inside", metadata={"name": "inside", "namespace": space.metadata["name"]}, data={"a": "1"}, opts=options
        )

    preview = project.preview(program)
    assert preview.ok, preview.text
    assert preview.count()["create"] == 2
    outcome = project.up(program)
    assert outcome.ok, outcome.text
    assert project.resources()["inside"]["id"] == "together/inside"
    assert "namespace" not in cluster.get("/api/v1/namespaces/together")["metadata"]
    assert project.up(program).changes == []


def test_a_definition_and_an_object_of_its_kind_come_in_one_up(project, cluster):
    def program(config):
        def graph():
            options = on(cluster)
            definition = kubernetes.apiextensions.v1.CustomResourceDefinition(
                "definition",
                metadata={
                    "name": f"network-attachment-definitions.{ATTACHMENTS}",
                    "annotations": {"pulumi.com/waitFor": "condition=Established"},
                },
                spec={
                    "group": ATTACHMENTS,
                    "scope": "Namespaced",
                    "names": {
                        "plural": "network-attachment-definitions",
                        "singular": "network-attachment-definition",
                        "kind": "NetworkAttachmentDefinition",
                    },
                    "versions": [
                        {
                            "name": "v1",
                            "served": True,
                            "storage": True,
                            "schema": {
                                "open_apiv3_schema": {
                                    "type": "object",
                                    "x_kubernetes_preserve_unknown_fields": True,
                                }
                            },
                        }
                    ],
                },
                opts=options,
            )
            kubernetes.apiextensions.CustomResource(
                "attachment",
                api_version=f"{ATTACHMENTS}/v1",
                kind="NetworkAttachmentDefinition",
                metadata={"name": "macvlan-internal", "namespace": "default"},
                spec={"config": config},
                opts=pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(depends_on=[definition])),
            )

        return graph

    path = f"/apis/{ATTACHMENTS}/v1/namespaces/default/network-attachment-definitions/macvlan-internal"
    assert project.preview(program("{}")).count()["create"] == 2
    outcome = project.up(program("{}"))
    assert outcome.ok, outcome.text
    assert cluster.get(path)["spec"]["config"] == "{}"
    assert project.up(program("{}")).changes == []
    assert project.up(program('{"type": "macvlan"}')).changes == [("update", "attachment")]
    assert cluster.get(path)["spec"]["config"] == '{"type": "macvlan"}'
    assert project.destroy().ok


def test_a_kind_that_nobody_knows_is_an_error(project, cluster):
    def program():
        kubernetes.apiextensions.CustomResource(
            "it",
            api_version="nowhere.example.org/v1",
            kind="Unheard",
            metadata={"name": "of", "namespace": "default"},
            opts=on(cluster),
        )

    assert project.preview(program).ok
    outcome = project.up(program)
    assert not outcome.ok
    assert "required CRDs" in outcome.text
    assert project.resources() == {}


def test_refresh_sees_drift_and_up_mends_it(project, cluster):
    program = config_map(cluster, "drifting", {"a": "1"})
    assert project.up(program).ok
    assert project.refresh().changes == []
    cluster.patch(f"{CONFIG_MAPS}/drifting", {"data": {"a": "drifted"}})
    assert project.refresh().ok
    assert project.resources()["it"]["outputs"]["data"] == {"a": "drifted"}
    cluster.delete(f"{CONFIG_MAPS}/drifting")
    assert project.refresh().ok
    assert project.resources() == {}
    assert project.up(program).changes == [("create", "it")]


def test_drift_is_put_right_by_the_next_up(project, cluster):
    program = config_map(cluster, "righted", {"a": "1", "b": "2"})
    assert project.up(program).ok
    cluster.delete(f"{CONFIG_MAPS}/righted")
    cluster.post(
        CONFIG_MAPS,
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "righted"}, "data": {"a": "1", "b": "other"}},
    )
    assert project.refresh().ok
    # Taking a field from another manager needs force: without it the conflict is told.
    outcome = project.up(program)
    assert not outcome.ok
    assert "conflict" in outcome.text


def test_secrets_are_not_in_the_state_in_clear(project, cluster):
    words = "open-sesame"
    encoded = base64.b64encode(words.encode()).decode()

    def program():
        options = on(cluster)
        space = {"namespace": "default"}
        kubernetes.core.v1.Secret("secret", metadata=space, string_data={"word": words}, opts=options)
        kubernetes.core.v1.ConfigMap("map", metadata=space, data={"word": pulumi.Output.secret(words)}, opts=options)

    assert project.up(program).ok
    state = project.state()
    assert words not in state
    assert encoded not in state
    assert cluster.kubeconfig.splitlines()[2].strip() not in state
    assert project.up(program).changes == []


def test_an_input_that_is_unknown_at_preview(project, cluster):
    def program():
        options = on(cluster)
        first = kubernetes.core.v1.ConfigMap("first", metadata={"namespace": "default"}, data={"a": "1"}, opts=options)
        kubernetes.core.v1.ConfigMap(
            "second", metadata={"namespace": "default"}, data={"uid": first.metadata["uid"]}, opts=options
        )

    preview = project.preview(program)
    assert preview.ok, preview.text
    assert preview.count()["create"] == 2
    assert project.up(program).ok
    second = project.resources()["second"]["outputs"]["data"]["uid"]
    assert second == project.resources()["first"]["outputs"]["metadata"]["uid"]
    assert project.up(program).changes == []
