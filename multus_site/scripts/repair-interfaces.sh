# Deletes pods that run without the interfaces that their annotation asks for: Multus fails open when a node starts before it
# does. Whoever made the pod makes it anew, with them. Runs in the cluster, with the node's kubectl. Prints a line a pod.
#
# What is compared is what the API server knows: the attachments asked for, those in network-status, and whether that status
# is of this sandbox (it names the pod's address). Pods of nodes whose Multus is not ready wait: they would come back the same.
set -eu

# shellcheck disable=SC2016 # kubectl's templates have variables of their own
daemons='{{range .items}}{{$node := .spec.nodeName}}{{range .status.conditions}}{{if and (eq .type "Ready") (eq .status "True")}}{{$node}}{{"\n"}}{{end}}{{end}}{{end}}'
pods='{{range .items}}{{if index .metadata.annotations "k8s.v1.cni.cncf.io/networks"}}{{.metadata.namespace}}|{{.metadata.name}}|{{.spec.nodeName}}|{{.status.podIP}}|{{if .metadata.deletionTimestamp}}going{{else if .metadata.ownerReferences}}{{(index .metadata.ownerReferences 0).kind}}{{else}}none{{end}}|{{printf "%q" (index .metadata.annotations "k8s.v1.cni.cncf.io/networks")}}|{{with index .metadata.annotations "k8s.v1.cni.cncf.io/network-status"}}{{printf "%q" .}}{{end}}{{"\n"}}{{end}}{{end}}'

plain() { # a text as %q of Go writes it: without quotes, escapes and white space
    printf '%s' "$1" | sed 's/^"//; s/"$//; s/\\[nt]//g; s/\\"/"/g' | tr -d ' '
}

asked_for() { # annotation: how many attachments; its JSON form is a list of objects with a name each
    case $1 in
        \[*) printf '%s' "$1" | grep -o '"name":' | wc -l ;;
        *) printf '%s' "$1" | tr ',' '\n' | grep -c . ;;
    esac
}

reason() { # annotation status address: why the pod is wrong, nothing if it is right
    if [ -z "$2" ]; then
        echo "it has no network-status"
        return
    fi
    asked=$(asked_for "$1")
    has=$(printf '%s' "$2" | grep -o '"interface":' | wc -l)
    # One entry is the cluster's own network.
    if [ "$has" -le "$asked" ]; then
        echo "it has $((has - 1)) of $asked attachments"
    elif ! printf '%s' "$2" | grep -qF "\"$3\""; then
        echo "its network-status is of an earlier sandbox, which did not have $3"
    fi
}

ready=$(kubectl get pods -n kube-system -l name=multus -o go-template="$daemons")
kubectl get pods --all-namespaces --field-selector status.phase=Running -o go-template="$pods" |
    while IFS='|' read -r namespace name node address owner networks status; do
        why=$(reason "$(plain "$networks")" "$(plain "$status")" "$address")
        if [ -z "$why" ] || [ "$owner" = going ]; then continue; fi
        if ! printf '%s\n' "$ready" | grep -qx "$node"; then
            echo "$namespace/$name on $node: $why; waits for Multus on $node"
        elif [ "$owner" = none ] || [ "$owner" = Node ]; then
            echo "$namespace/$name on $node: $why; nobody would make it anew: delete it yourself"
        else
            echo "$namespace/$name on $node: $why"
            kubectl delete pod -n "$namespace" "$name" --wait=false </dev/null
        fi
    done
