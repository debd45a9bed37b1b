"""Policies as CrossGuard takes them: its resources made plain, its reports filled."""

from collections.abc import Mapping
from typing import Any

import pulumi_policy as crossguard
from pulumi_policy.proxy import UnknownValueError

from .resources import LATER, Policy, Resource


def plain(value: object) -> object:
    """A value of CrossGuard's as dicts, lists and scalars; it raises at a touch of what is not known yet, which becomes LATER."""
    if isinstance(value, Mapping):
        return {key: _at(value, key) for key in value}
    if hasattr(value, "__getitem__") and not isinstance(value, str | bytes):
        return [_at(value, i) for i in range(len(value))]  # type: ignore[arg-type]  # a sequence
    return value


def _at(holder: Any, key: object) -> object:  # noqa: ANN401 - a mapping or a sequence
    try:
        return plain(holder[key])
    except UnknownValueError:
        return LATER


def made(policy: Policy) -> crossguard.Policy:
    """CrossGuard's policy for one of ours."""
    schema = crossguard.PolicyConfigSchema({name: dict(one) for name, one in policy.settings.items()})
    if policy.of_one is not None:
        return crossguard.ResourceValidationPolicy(
            policy.name, policy.description, _of_one(policy), config_schema=schema
        )
    return crossguard.StackValidationPolicy(policy.name, policy.description, _of_all(policy), config_schema=schema)


def _of_one(policy: Policy) -> crossguard.ResourceValidation:
    decide = policy.of_one

    def validate(args: crossguard.ResourceValidationArgs, report: crossguard.ReportViolation) -> None:
        settings = policy.completed(plain(args.get_config()))  # type: ignore[arg-type]  # a mapping
        for message in decide(_resource(args), settings) if decide else ():
            report(message, None)

    return validate


def _of_all(policy: Policy) -> crossguard.StackValidation:
    decide = policy.of_all

    def validate(args: crossguard.StackValidationArgs, report: crossguard.ReportViolation) -> None:
        settings = policy.completed(plain(args.get_config()))  # type: ignore[arg-type]  # a mapping
        for resource, message in decide([_resource(one) for one in args.resources], settings) if decide else ():
            report(message, resource.urn if resource else None)

    return validate


def _resource(given: crossguard.ResourceValidationArgs | crossguard.PolicyResource) -> Resource:
    props = plain(given.props)
    return Resource(
        given.resource_type, given.name, props if isinstance(props, dict) else {}, bool(given.opts.protect), given.urn
    )
