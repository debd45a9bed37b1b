"""The provider's own inputs."""

from __future__ import annotations

import os
from dataclasses import dataclass

from ..values import Plain

_TRUE = (True, "true", "1")
_MUTABLE = {
    "ConfigMap": ("enableConfigMapMutable", "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE"),
    "Secret": ("enableSecretMutable", "PULUMI_K8S_ENABLE_SECRET_MUTABLE"),
}


@dataclass(frozen=True)
class Settings:
    """The provider's own inputs. The SDK sends booleans as the words `true` and `false`."""

    kubeconfig: str | None
    context: str | None
    cluster: str | None
    namespace: str | None
    patch_force: bool
    upsert: bool
    delete_unreachable: bool
    mutable: frozenset[str]
    """Kinds whose data may change in place; else an object with other data is another object, as in the real provider."""

    @property
    def may_name_a_namespace(self) -> bool:
        """Whether these settings, or the kubeconfig's context, could give objects a namespace other than `default`."""
        text = self.kubeconfig or ""
        return bool(self.namespace) or "\n" not in text or "namespace:" in text


def settings(arguments: dict[str, Plain]) -> Settings:
    """Settings from the engine's arguments and the environment variables of the real provider."""

    def flag(name: str, variable: str) -> bool:
        return arguments.get(name, os.environ.get(variable)) in _TRUE

    return Settings(
        kubeconfig=arguments.get("kubeconfig"),
        context=arguments.get("context"),
        cluster=arguments.get("cluster"),
        namespace=arguments.get("namespace"),
        patch_force=flag("enablePatchForce", "PULUMI_K8S_ENABLE_PATCH_FORCE"),
        upsert=flag("upsertExistingObjects", "PULUMI_K8S_UPSERT_EXISTING_OBJECTS"),
        delete_unreachable=flag("deleteUnreachable", "PULUMI_K8S_DELETE_UNREACHABLE"),
        mutable=frozenset(kind for kind, (name, variable) in _MUTABLE.items() if flag(name, variable)),
    )
