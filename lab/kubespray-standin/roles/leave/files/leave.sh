# Takes a node out of the cluster, from the first control plane node. In: KUBECTL, BIN_DIR, NODE, ADDRESS, GRACE (seconds), TIMEOUT (such as 360s),
# UNGRACEFUL (1: go on if it can't be drained), MEMBER (1: it is an etcd member). Out: "removed", if it was in.
set -eu
nodes=$($KUBECTL get nodes -o name) # fails where the cluster does not answer
if printf '%s\n' "$nodes" | grep -qx "node/$NODE"; then
    ready=$($KUBECTL get node "$NODE" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')
    if [ -n "$UNGRACEFUL" ] && [ "$ready" != True ]; then
        # Its pods would be waited for in vain: nobody is there to end them.
        $KUBECTL cordon "$NODE" >/dev/null
        $KUBECTL get pods -A --field-selector "spec.nodeName=$NODE" -o 'jsonpath={range .items[*]}{.metadata.namespace} {.metadata.name}{"\n"}{end}' |
            while read -r namespace pod; do
                $KUBECTL -n "$namespace" delete pod "$pod" --force --grace-period=0 >/dev/null 2>&1
            done
    else
        $KUBECTL drain "$NODE" --ignore-daemonsets --delete-emptydir-data --force --grace-period="$GRACE" --timeout="$TIMEOUT" >/dev/null 2>/tmp/drain.log || {
            cat /tmp/drain.log >&2
            [ -n "$UNGRACEFUL" ] || exit 1
        }
    fi
    $KUBECTL delete node "$NODE" >/dev/null
    echo removed
fi
[ -n "$MEMBER" ] || exit 0
pki=/etc/kubernetes/pki
export ETCDCTL_CACERT=$pki/etcd/ca.crt ETCDCTL_CERT=$pki/apiserver-etcd-client.crt ETCDCTL_KEY=$pki/apiserver-etcd-client.key
members=$("$BIN_DIR/etcdctl" member list)
id=$(printf '%s\n' "$members" | grep "https://$ADDRESS:2380" | cut -d, -f1 || true)
if [ -n "$id" ]; then
    "$BIN_DIR/etcdctl" member remove "$id" >/dev/null
    echo removed
fi
