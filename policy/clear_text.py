"""Secrets that anybody could read who sees the stack file, the state of a preview, or the cluster."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from multus_site.model.defaults import NAME
from multus_site.model.paths import Data, path_text, value_at
from multus_site.model.yaml_documents import YamlMistakeError, documents

from .pods import containers_of
from .resources import Policy, Resource, Settings, texts

_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_CREDENTIAL = re.compile(r"\b[a-z][a-z0-9+.-]*://[^/\s:@]+:[^/\s@]+@")
_NAME = re.compile(r"passw(or)?d|passphrase|secret(?!name)|token|private_?key|api_?key|credential|hostkeyseed|sshprivatekey|kubesprayvariables", re.I)  # fmt: skip
_NOT_A_SECRET = re.compile(r"(name|file|path|ref|url|enabled|ttl|timeout|length|policy|audience)s?$", re.I)
"""Ends of names that lead to a secret rather than hold it: privateKeyFile, secretName."""

_SHOWN = ("create", "update", "delete", "read", "triggers")
"""Properties of commands that appear in output and in process lists."""


def in_resource(resource: Resource, settings: Settings) -> Iterator[str]:
    """Private keys and passwords in what a node's process list or the cluster's API would show."""
    del settings
    name = resource.object_name()
    if resource.type.startswith("command:"):
        looked_at = [(key, resource.at(key)) for key in _SHOWN]
        fix = "pass it to the command on stdin, as a secret"
    elif resource.type.startswith("kubernetes:") and not resource.type.endswith(":Secret"):
        looked_at = [(key, value) for key, value in resource.props.items() if key != "status"]
        fix = "put it into a Secret, and refer to that with secretKeyRef or a volume"
    else:
        return
    for key, value in looked_at:
        for path, text in texts(value, key):
            if what := _in_text(text):
                yield f"{path} of {name}: holds {what} in clear text; {fix}"
    for path, container in containers_of(resource):
        variables = container.get("env")
        for variable in variables if isinstance(variables, Sequence) else ():
            known = isinstance(variable, Mapping) and isinstance(variable.get("value"), str) and variable["value"]
            if known and _is_secret(str(variable.get("name", ""))):
                yield f"{path}.env of {name}: the value of {variable['name']} is in clear text; {fix}"


def in_stack_files(resources: Sequence[Resource], settings: Settings) -> Iterator[tuple[Resource | None, str]]:
    """Secrets in clear in the stack file, and in the defaults beside it, of the folder where Pulumi runs."""
    del settings
    stacks = {resource.urn.split("::")[0].rpartition(":")[2] for resource in resources if resource.urn}
    for name in (*(f"Pulumi.{stack}.yaml" for stack in sorted(stacks)), NAME):
        file = Path("stacks") / name
        if file.is_file():
            for message in in_stack_text(file.read_text(encoding="utf-8"), str(file)):
                yield None, message


def in_stack_text(text: str, file: str) -> Iterator[str]:
    """Secrets in clear in the text of a stack file, or of the defaults. The values are never shown."""
    document = next(documents(text), None)
    try:
        data = document.data() if document else None
    except YamlMistakeError:
        return  # the program says what is wrong with it
    root = ("config",) if Path(file).name != NAME else ()
    for path, value in _leaves(value_at(data, root), root):
        name = str(path[-1])
        secret_name = _is_secret(name.rpartition(":")[2]) and value not in ("", None, True, False)
        what = _in_text(value) if isinstance(value, str) else ""
        if what or secret_name:
            line = document.position(path)[0] if document else 0
            shown = path_text(path[len(root) :])
            fix = (
                f"set it again: pulumi config set --secret {name}, and change the secret itself: it is in git's history"
                if root and len(path) == 2
                else "move it into a secret key of its own, such as: pulumi config set --secret multus-site:kubesprayVariables, and change the secret itself: it is in git's history"
            )
            yield f"{file}:{line}: {shown}: holds {what or 'a secret'} in clear text; {fix}"


def _leaves(value: Data, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Data]]:
    """Paths and scalars; what Pulumi has encrypted is left out."""
    if isinstance(value, dict):
        if value.keys() != {"secure"}:
            for key, inner in value.items():
                yield from _leaves(inner, (*path, key))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from _leaves(inner, (*path, i))
    else:
        yield path, value


def _is_secret(name: str) -> bool:
    return bool(_NAME.search(name)) and not _NOT_A_SECRET.search(name)


def _in_text(text: str) -> str:
    """What a text holds that is nobody's to see; empty if nothing."""
    if _PRIVATE_KEY.search(text):
        return "a private key"
    return "a password in an address" if _CREDENTIAL.search(text) else ""


NO_PLAIN_SECRETS = Policy(
    "no-plain-secrets",
    "No private key and no password is in a command line, a trigger, an environment variable or an object other than a Secret.",
    of_one=in_resource,
)
SECRETS_ENCRYPTED = Policy(
    "secrets-encrypted",
    "No secret is in clear text in the stack file.",
    of_all=in_stack_files,
)
