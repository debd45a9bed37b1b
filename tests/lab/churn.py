"""Pods that come and go on the lab, and what stays reserved on the nodes compared with the sandboxes that run."""

import json

from tests.lab.running import eventually

NODES = ("node1", "node2", "node3")
NETWORK = "cbr0"
NAME = "churn"
MANIFEST = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": NAME},
    "spec": {
        "replicas": 0,
        "selector": {"matchLabels": {"app": NAME}},
        "template": {
            "metadata": {"labels": {"app": NAME}, "annotations": {"k8s.v1.cni.cncf.io/networks": "macvlan-internal"}},
            "spec": {
                "terminationGracePeriodSeconds": 0,
                "containers": [
                    {"name": NAME, "image": "docker.io/library/busybox:1.36", "command": ["tail", "-f", "/dev/null"]}
                ],
            },
        },
    },
}


def scale(lab, replicas):
    """This many pods run, and no other of the Deployment exists."""
    lab.kubectl("scale", "deployment", NAME, f"--replicas={replicas}")

    def there():
        pods = lab.get("pods", "-l", f"app={NAME}")["items"]
        return len(pods) == replicas and all(p["status"].get("phase") == "Running" for p in pods)

    eventually(there, seconds=300)


def delete_pods(lab, deletions, at_once):
    """So many pods start and are deleted; the Deployment goes at the end."""
    lab.kubectl("apply", "-f", "-", given=json.dumps(MANIFEST))
    try:
        for _ in range(deletions // at_once):
            scale(lab, at_once)
            scale(lab, 0)
    finally:
        lab.kubectl("delete", "deployment", NAME, "--ignore-not-found", "--wait=true")


def held(lab, network=NETWORK):
    """Node and address → the sandbox that holds it, as host-local's files say."""
    found = {}
    for node in NODES:
        folder = f"/var/lib/cni/networks/{network}"
        program = (
            "import json, pathlib, sys; print(json.dumps({p.name: p.read_text().split()[:1] for p in "
            "pathlib.Path(sys.argv[1]).glob('[0-9]*')}))"
        )
        files = json.loads(lab.node(node, "python3", "-c", program, folder).stdout)
        found.update({(node, address): (holder or [""])[0] for address, holder in files.items()})
    return found


def sandboxes(lab):
    """The sandboxes that run. One that was stopped is listed for a while; it has given back its addresses by then, if it ever does."""
    listed = (json.loads(lab.node(node, "crictl", "pods", "-o", "json").stdout)["items"] for node in NODES)
    return {pod["id"] for items in listed for pod in items if pod["state"] == "SANDBOX_READY"}


def lost(lab, network=NETWORK):
    """Addresses whose sandbox is gone."""
    reserved = held(lab, network)
    running = sandboxes(lab)
    return {key: holder for key, holder in reserved.items() if holder not in running}


def left(lab, *options, status=None):
    """What `multus-site leaks` says."""
    done = lab.run("multus-site", "leaks", "lab", "--format", "json", *options, check=False)
    assert done.returncode in ({0, 1} if status is None else {status}), done.stderr
    return json.loads(done.stdout)


def grow_old(lab):
    """All that is reserved looks an hour old: nothing of it belongs to a pod that starts."""
    for node in NODES:
        lab.node(node, "sh", "-c", "find /var/lib/cni -type f -exec touch -d '1 hour ago' {} +")


def all_free(lab):
    """Whether nothing is left, after all of it was given back: sandboxes that were stopped are listed for a minute."""
    lab.kubectl("-n", "kube-system", "delete", "jobs", "--all")
    grow_old(lab)
    left(lab, "--free")
    return left(lab)["leaks"] == [] and lost(lab) == {}
