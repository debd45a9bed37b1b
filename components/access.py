"""Access: the account of something that runs in the cluster, and its rights."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes


def access(
    name: str,
    account: Mapping[str, Any],
    role: Mapping[str, Any],
    binding: Mapping[str, Any],
    opts: pulumi.ResourceOptions,
) -> list[pulumi.Resource]:
    """Makes service account, cluster role and binding, and gives all three; `opts` are those of a component's child."""
    made: list[pulumi.Resource] = [
        kubernetes.core.v1.ServiceAccount(name, **account, opts=opts),
        kubernetes.rbac.v1.ClusterRole(name, **role, opts=opts),
    ]
    bound = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=made))
    return [*made, kubernetes.rbac.v1.ClusterRoleBinding(name, **binding, opts=bound)]
