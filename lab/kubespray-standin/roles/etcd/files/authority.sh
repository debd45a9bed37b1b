# Makes etcd's authority and the API server's client certificate on the first member, and prints both as base64 of a tar.
set -eu
pki=etc/kubernetes/pki
if [ ! -e "/$pki/apiserver-etcd-client.key" ]; then
    for phase in etcd-ca apiserver-etcd-client; do
        "$BIN_DIR/kubeadm" init phase certs "$phase" --config /etc/kubernetes/kubeadm-etcd.yaml >/dev/null
    done
    echo made >&2
fi
cd /
tar c "$pki/etcd/ca.crt" "$pki/etcd/ca.key" "$pki/apiserver-etcd-client.crt" "$pki/apiserver-etcd-client.key" | base64 -w0
