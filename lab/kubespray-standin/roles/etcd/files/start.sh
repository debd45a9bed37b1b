# Starts this member of etcd and waits until it answers. A member that comes to a running cluster is added to it first.
# In: NAME, ADDRESS, MEMBERS (name=peer URL, comma separated), FIRST (client URL of the first member), CHANGED, BIN_DIR. Out: "started".
set -eu
pki=/etc/kubernetes/pki
export ETCDCTL_CACERT=$pki/etcd/ca.crt ETCDCTL_CERT=$pki/apiserver-etcd-client.crt ETCDCTL_KEY=$pki/apiserver-etcd-client.key
healthy() { "$BIN_DIR/etcdctl" --endpoints "$1" --command-timeout 3s endpoint health >/dev/null 2>&1; }

for phase in etcd-server etcd-peer; do
    "$BIN_DIR/kubeadm" init phase certs "$phase" --config /etc/kubernetes/kubeadm-etcd.yaml >/dev/null
done

state=new
if [ ! -d /var/lib/etcd/member ] && healthy "$FIRST"; then
    state=existing
    "$BIN_DIR/etcdctl" --endpoints "$FIRST" member list | grep -q "https://$ADDRESS:2380" ||
        "$BIN_DIR/etcdctl" --endpoints "$FIRST" member add "$NAME" --peer-urls "https://$ADDRESS:2380" >/dev/null
fi
if [ ! -e /etc/etcd.env ] || [ ! -d /var/lib/etcd/member ]; then
    cat >/etc/etcd.env <<EOF
ETCD_NAME=$NAME
ETCD_DATA_DIR=/var/lib/etcd
ETCD_LISTEN_CLIENT_URLS=https://$ADDRESS:2379,https://127.0.0.1:2379
ETCD_ADVERTISE_CLIENT_URLS=https://$ADDRESS:2379
ETCD_LISTEN_PEER_URLS=https://$ADDRESS:2380
ETCD_INITIAL_ADVERTISE_PEER_URLS=https://$ADDRESS:2380
ETCD_INITIAL_CLUSTER=$MEMBERS
ETCD_INITIAL_CLUSTER_STATE=$state
ETCD_CLIENT_CERT_AUTH=true
ETCD_TRUSTED_CA_FILE=$pki/etcd/ca.crt
ETCD_CERT_FILE=$pki/etcd/server.crt
ETCD_KEY_FILE=$pki/etcd/server.key
ETCD_PEER_CLIENT_CERT_AUTH=true
ETCD_PEER_TRUSTED_CA_FILE=$pki/etcd/ca.crt
ETCD_PEER_CERT_FILE=$pki/etcd/peer.crt
ETCD_PEER_KEY_FILE=$pki/etcd/peer.key
EOF
fi

case $CHANGED in *etcd*) systemctl daemon-reload && systemctl stop etcd ;; esac
if ! systemctl is-active -q etcd; then
    systemctl enable -q etcd
    systemctl start --no-block etcd # its notification comes with the quorum, which needs the other members
    echo started
fi
tries=60
until healthy "https://$ADDRESS:2379"; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || {
        echo "etcd of this node does not answer within a minute; on the node: journalctl -u etcd" >&2
        exit 1
    }
    sleep 1
done
