# Joins this node to the cluster. In: BIN_DIR, API (host:port), NAME, ADDRESS, CONTROL_PLANE and WORKER (1 or empty), IGNORE, TICKET (of ticket.sh).
set -eu
read -r token hash key <<EOF
$TICKET
EOF
config=/etc/kubernetes/kubeadm-join.yaml
log=/var/log/kubeadm-join.log
umask 077
mkdir -p /etc/kubernetes
{
    cat <<EOF
apiVersion: kubeadm.k8s.io/v1beta4
kind: JoinConfiguration
discovery:
  bootstrapToken:
    apiServerEndpoint: $API
    token: $token
    caCertHashes: ["sha256:$hash"]
nodeRegistration:
  name: $NAME
  criSocket: unix:///run/containerd/containerd.sock
  imagePullSerial: false
  kubeletExtraArgs:
    - {name: node-ip, value: "$ADDRESS"}
EOF
    [ -z "$CONTROL_PLANE" ] || [ -z "$WORKER" ] || echo "  taints: []"
    [ -z "$CONTROL_PLANE" ] || printf 'controlPlane:\n  certificateKey: %s\n  localAPIEndpoint: {advertiseAddress: %s}\n' "$key" "$ADDRESS"
} >"$config"
trap 'rm -f "$config"' EXIT

if [ -e /etc/kubernetes/bootstrap-kubelet.conf ] || [ -e /etc/kubernetes/kubelet.conf ]; then
    IGNORE=all # a run that was cut short left its files
    rm -f /etc/kubernetes/bootstrap-kubelet.conf
fi
systemctl enable -q kubelet
timeout 300 "$BIN_DIR/kubeadm" join --config "$config" --ignore-preflight-errors="$IGNORE" >"$log" 2>&1 || {
    systemctl disable -q kubelet
    { grep ERROR "$log" || true; tail -n 6 "$log"; } >&2
    exit 1
}
if [ -n "$CONTROL_PLANE" ]; then
    mkdir -p /root/.kube
    install -m 0600 /etc/kubernetes/admin.conf /root/.kube/config
fi
