# Makes the first control plane node and starts the pod network. A run that was cut short is carried on: kubeadm keeps the certificates that are
# there, and the network does not wait for the node to be Ready, which it can't be before.
# In: BIN_DIR, IGNORE (preflight errors, comma separated), CHANGED (paths that this run changed). Out: "made", if anything was.
set -eu
export KUBECONFIG=/etc/kubernetes/admin.conf
done=/etc/kubernetes/standin-initialised
log=/var/log/kubeadm-init.log

if [ ! -e "$done" ]; then
    [ ! -d /etc/kubernetes/manifests ] || IGNORE=all # a run that was cut short left files and ports in use
    systemctl enable -q kubelet
    timeout 600 "$BIN_DIR/kubeadm" init --config /etc/kubernetes/kubeadm-config.yaml --skip-token-print \
        --ignore-preflight-errors="$IGNORE" >"$log" 2>&1 || {
        { grep ERROR "$log" || true; tail -n 6 "$log"; } >&2
        exit 1
    }
    mkdir -p /root/.kube
    install -m 0600 "$KUBECONFIG" /root/.kube/config
    : >"$done"
    CHANGED="$CHANGED /etc/kubernetes/network/"
    echo made
fi
case $CHANGED in
*/etc/kubernetes/network/*)
    if [ -d /etc/kubernetes/network ]; then
        timeout 120 "$BIN_DIR/kubectl" apply -f /etc/kubernetes/network >>"$log" 2>&1 || {
            tail -n 5 "$log" >&2
            exit 1
        }
    fi
    echo made
    ;;
esac
