"""`python3 -m multus_site.repair.main`: one pass with the pod's service account. SETTINGS: JSON of render/repair.py.

Prints a line for each pod that lacks interfaces. Exits 1 if the pass could not do all of its work: the Job then shows as failed.
"""

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from multus_site.model.printable import short
from multus_site.repair.api import Account, Api, ApiError
from multus_site.repair.one_pass import Pass
from multus_site.repair.scope import Scope

PASS_SECONDS = 80
"""Time limit of a pass; its Job is killed at 100 seconds."""


def account(environment: Mapping[str, str]) -> Account:
    """As the kubelet gives it to the pod. Raises OSError."""
    folder = Path(environment.get("ACCOUNT", "/var/run/secrets/kubernetes.io/serviceaccount"))
    return Account(
        host=environment["KUBERNETES_SERVICE_HOST"],
        port=int(environment["KUBERNETES_SERVICE_PORT"]),
        authority=str(folder / "ca.crt"),
        token=(folder / "token").read_text(encoding="ascii").strip(),
    )


def main(environment: Mapping[str, str]) -> int:
    """Run the pass, and return the exit status."""
    try:
        api = Api(account(environment), time.monotonic() + PASS_SECONDS)
        one = Pass(api, Scope.parse(environment["SETTINGS"]))
    except (OSError, KeyError, ValueError) as error:
        print(f"the pass cannot start: {type(error).__name__}: {short(str(error))}", file=sys.stderr)
        return 1
    try:
        one.run()
    except ApiError as error:
        one.failures.append(str(error))
    for line in one.lines():
        print(line)
    for failure in one.failures:
        print(f"failed: {short(failure, 500)}", file=sys.stderr)
    return 1 if one.failures else 0


if __name__ == "__main__":
    sys.exit(main(os.environ))
