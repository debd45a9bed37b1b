# Starts containerd, or restarts it if its program or configuration changed, and makes the kernel ready for pods.
# In: CHANGED (names and paths that this run changed), BIN_DIR, RLIMIT_NOFILE. Out: "restarted", if it was; "joined", if the node is in a cluster.
set -eu
modprobe br_netfilter 2>/dev/null || true # built in, or not to be had: the sysctl below tells
sysctl -q -e -p /etc/sysctl.d/99-kubernetes.conf

base=/etc/containerd/cri-base.json
"$BIN_DIR/ctr" oci spec | RLIMIT_NOFILE="$RLIMIT_NOFILE" python3 -c '
import json, os, sys
spec = json.load(sys.stdin)
limit = int(os.environ["RLIMIT_NOFILE"])
spec["process"]["rlimits"] = [{"type": "RLIMIT_NOFILE", "hard": limit, "soft": limit}]
json.dump(spec, sys.stdout)
' >"$base.new"
if cmp -s "$base.new" "$base"; then
    rm -f "$base.new"
else
    mv "$base.new" "$base"
    CHANGED="$CHANGED containerd"
fi

case $CHANGED in *.service*) systemctl daemon-reload ;; esac
case $CHANGED in
*containerd* | *runc*)
    systemctl enable -q containerd
    systemctl restart containerd
    echo restarted
    ;;
*) systemctl is-active -q containerd || systemctl start containerd ;;
esac
if [ -e /etc/kubernetes/kubelet.conf ] && systemctl is-enabled -q kubelet; then
    case $CHANGED in *kubelet*) systemctl restart kubelet ;; esac
    echo joined
fi
