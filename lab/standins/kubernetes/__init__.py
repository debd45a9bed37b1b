"""Stand-in for pulumi-kubernetes 4.34.2: objects of any kind, over the real API of the cluster.

What differs from the real provider, knowingly:

* No await for Service, Ingress, PersistentVolumeClaim and other kinds outside `readiness.KINDS`.
* No Helm, Kustomize, YAML groups, Patch resources or rendering to a directory; server-side apply only.
* Changes are found between old and new inputs; what a refresh saw differently counts as an old input.
* An update that the API server refuses leaves the old inputs in the state; the real one stores the new ones.

A workload that exists but did not become healthy is kept in the state with its error, and the next `up` tries again.
"""
