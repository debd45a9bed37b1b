"""How a site's cluster is installed: which Kubespray, from where, and with which settings."""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field

from multus_site.model.addresses import AddressOrName, Cidr
from multus_site.model.kubespray_releases import NetworkPlugin, newest
from multus_site.model.part import Mistake, Part
from multus_site.model.shapes import Matching
from multus_site.model.types import BARE_VERSION, BareVersion, Commit, KubesprayVersion, Sha256


class Archive(Part):
    """A tarball of Kubespray."""

    url: Annotated[
        str,
        Matching(
            r"(?s)https?://.+|(?!.*://).+",
            "is neither an http(s) address nor a path; write one such as https://mirror.example/kubespray-2.31.0.tar.gz",
        ),
    ] = Field(examples=["https://mirror.example/kubespray-2.31.0.tar.gz"])
    """Where it is: an http(s) address, or a path relative to the project."""
    sha256: Sha256
    """What `sha256sum` prints for it; anything else is refused."""


class AdoptedCluster(Part):
    """A cluster that Kubespray made before this site: the first `pulumi up` takes it over and runs no playbook."""

    ca: Sha256
    """Which cluster: what `sha256sum /etc/kubernetes/ssl/ca.crt` prints on its control plane nodes. Hosts of any other cluster are refused."""


class Kubespray(Part):
    """The cluster installer: which release, from where, with which settings."""

    version: KubesprayVersion = newest()
    """Release tag."""
    commit: Commit | None = None
    """The commit that the tag must name; needed for a release that is not pinned in `multus_site/model/kubespray_releases.py`."""
    path: str | None = Field(default=None, min_length=1, examples=["../kubespray"])
    """A local checkout of that release, relative to the project; instead of the git tag."""
    archive: Archive | None = None
    """A tarball of that release; instead of the git tag."""
    kubernetes_version: BareVersion | None = Field(default=None, examples=["1.35.4"])
    """Version of Kubernetes (kube_version); the release's own if absent."""
    network_plugin: NetworkPlugin | None = Field(default=None, examples=["calico"])
    """The pods' first network (kube_network_plugin); Kubespray's own choice is calico."""
    pod_cidr: Cidr | None = Field(default=None, examples=["10.233.64.0/18"])
    """Addresses of pods (kube_pods_subnet)."""
    service_cidr: Cidr | None = Field(default=None, examples=["10.233.0.0/18"])
    """Addresses of services (kube_service_addresses)."""
    api_server: AddressOrName | None = None
    """Where clients outside reach the API server, such as a load balancer: in its certificate, and the server of the kubeconfig."""
    adopted: AdoptedCluster | None = None
    """The running cluster to take over, as `multus-site adopt` writes it. `destroy` leaves it running."""
    variables: dict[str, Any] = Field(default={}, examples=[{"kube_proxy_mode": "iptables"}])
    """Any other variables of Kubespray, passed on once they are checked."""

    def check_keys(self) -> Iterator[Mistake]:
        """Keys that contradict each other."""
        if self.path is not None and self.archive is not None:
            yield Mistake(("kubespray", "archive"), "path is set too; keep one of the two")
        if self.commit is not None and (self.path is not None or self.archive is not None):
            message = "pins the git tag, which path or archive replaces; remove it"
            yield Mistake(("kubespray", "commit"), message)
        for variable, (key, value) in self._typed().items():
            if value is not None and variable in self.variables:
                message = f"sets the same as kubespray.{key}; keep one of the two"
                yield Mistake(("kubespray", "variables", variable), message)
        if "kube_version" in self.variables:
            given = self.variables["kube_version"]
            # Without quotes YAML reads two numbers as a fraction.
            if not isinstance(given, str) or not BARE_VERSION.fullmatch(given):
                message = "not a version; write three numbers in quotes such as '1.34.3'"
                yield Mistake(("kubespray", "variables", "kube_version"), message)

    def _typed(self) -> dict[str, tuple[str, Any]]:
        """Kubespray's variable → our key and its value."""
        return {
            "kube_version": ("kubernetesVersion", self.kubernetes_version),
            "kube_network_plugin": ("networkPlugin", self.network_plugin),
            "kube_pods_subnet": ("podCidr", self.pod_cidr),
            "kube_service_addresses": ("serviceCidr", self.service_cidr),
        }

    def all_variables(self) -> dict[str, Any]:
        """Kubespray's variables as the site gives them, by typed keys or by name."""
        typed = {variable: value for variable, (_, value) in self._typed().items() if value is not None}
        return {**typed, **self.variables}
