# Removes a node from the cluster before its machine is replaced; runs on another control plane node. Argument: leave.
# Variables: NODE, KUBECTL, ADMIN (its kubeconfig), SECONDS_TO_DRAIN, FIRST (why this node cannot be replaced; empty if it can). Drains the node, so that its pods
# end properly and release their addresses, then deletes it from the API. Kubespray removes the rest (etcd) when the new machine has joined.
set -eu

ROUND=$((SECONDS_TO_DRAIN < 60 ? SECONDS_TO_DRAIN : 60)) # after so many a node that died meanwhile is noticed

kubectl() { "$KUBECTL" --kubeconfig "$ADMIN" --request-timeout=60s "$@"; }

give_up() {
    kubectl uncordon "$NODE" >/dev/null 2>>"$log" || true
    echo "$NODE was not drained within $SECONDS_TO_DRAIN s, so its machine stays as it was: $(tail -n 3 "$log" | tr '\n' ' ')" >&2
    echo "See which pods stay (kubectl get pods -A --field-selector spec.nodeName=$NODE) and why (a PodDisruptionBudget?), then run pulumi up again." >&2
    exit 1
}

is_dead() { # only where the API server says so: one that does not answer now says nothing of the node
    ready=$(kubectl get node "$NODE" -o 'jsonpath=is {.status.conditions[?(@.type=="Ready")].status}' 2>"$log") || return 1
    [ "$ready" != 'is True' ]
}

[ -x "$KUBECTL" ] && [ -e "$ADMIN" ] || {
    echo "no cluster: nothing to leave"
    exit 0
}
there=$(kubectl get node "$NODE" --ignore-not-found -o name) || {
    echo "$NODE was not taken out of the cluster, so its machine stays as it was: the API server does not answer on $(hostname)." >&2
    echo "Once it does, run pulumi up again." >&2
    exit 1
}
[ -n "$there" ] || {
    echo "$NODE is not in the cluster"
    exit 0
}
[ -z "$FIRST" ] || {
    echo "$FIRST" >&2
    exit 1
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
kubectl cordon "$NODE" >/dev/null
until=$(($(date +%s) + SECONDS_TO_DRAIN))
drained=''
# Waiting for pods of a node that is gone would never end: nothing is left to stop them. They are deleted with the node.
until is_dead; do
    if kubectl drain "$NODE" --ignore-daemonsets --delete-emptydir-data --force --timeout="${ROUND}s" >"$log" 2>&1; then
        drained='drained and '
        break
    fi
    [ "$(date +%s)" -lt "$until" ] || give_up
    sleep 1
done
kubectl delete node "$NODE" >/dev/null
echo "$NODE is ${drained}out of the cluster"
