# Prints what a node needs to join: token, hash of the authority and, with several control plane nodes, the key of the uploaded certificates.
set -eu
export KUBECONFIG=/etc/kubernetes/admin.conf
token=$("$BIN_DIR/kubeadm" token create --ttl 1h)
hash=$(openssl x509 -pubkey -noout -in /etc/kubernetes/pki/ca.crt | openssl pkey -pubin -outform der | sha256sum | cut -d' ' -f1)
key=
if [ "$CONTROL_PLANES" -gt 1 ]; then
    key=$("$BIN_DIR/kubeadm" init phase upload-certs --upload-certs --config /etc/kubernetes/kubeadm-config.yaml | tail -n 1)
fi
echo "$token $hash $key"
