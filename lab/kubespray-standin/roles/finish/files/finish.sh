# Labels and taints nodes, then waits until they are Ready. Like Kubespray, it sets what is given and takes nothing away.
# In: KUBECTL, NODES, NETWORK (empty: nobody waits), LABELS (lines: node key=value), TAINTS (lines: node key=value:effect …).
set -eu
printf '%s\n' "$LABELS" | while read -r node label; do
    [ -z "$node" ] || $KUBECTL label --overwrite node "$node" "$label"
done
printf '%s\n' "$TAINTS" | while read -r node list; do
    # shellcheck disable=SC2086 # a list of taints
    [ -z "$node" ] || $KUBECTL taint --overwrite node "$node" $list
done
[ -n "$NETWORK" ] || exit 0
# shellcheck disable=SC2086 # a list of names
$KUBECTL wait --for=condition=Ready --timeout=180s node $NODES >/dev/null || {
    $KUBECTL get nodes -o wide >&2
    $KUBECTL get pods -A -o wide >&2
    exit 1
}
$KUBECTL -n kube-system rollout status --timeout=180s deployment/coredns >/dev/null
