# Runs kubeadm's upgrade on this node, once. In: BIN_DIR, VERSION (v1.35.5), FIRST (1 on the first control plane node), IGNORE. Out: "upgraded".
set -eu
mark=/etc/kubernetes/standin-version
log=/var/log/kubeadm-upgrade.log
[ "$(cat "$mark" 2>/dev/null)" != "$VERSION" ] || exit 0
running=$("$BIN_DIR/kubelet" --version | cut -d' ' -f2)
if [ "$running" != "$VERSION" ]; then
    if [ -n "$FIRST" ]; then
        export KUBECONFIG=/etc/kubernetes/admin.conf
        set -- apply "$VERSION" --yes
    else
        set -- node
    fi
    timeout 900 "$BIN_DIR/kubeadm" upgrade "$@" --ignore-preflight-errors="$IGNORE" >"$log" 2>&1 || {
        { grep ERROR "$log" || true; tail -n 6 "$log"; } >&2
        exit 1
    }
    echo upgraded
fi
echo "$VERSION" >"$mark"
