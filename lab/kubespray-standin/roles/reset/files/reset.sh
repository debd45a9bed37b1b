# Takes everything of the cluster off a node, as Kubespray's reset does: services, pods, their networks, /etc/cni, /opt/cni, data. In: BIN_DIR. Out: "reset".
set -eu
if [ -x "$BIN_DIR/kubeadm" ]; then
    timeout 180 "$BIN_DIR/kubeadm" reset --force --cleanup-tmp-dir >/var/log/kubeadm-reset.log 2>&1 || tail -n 5 /var/log/kubeadm-reset.log >&2
fi
systemctl disable -q --now kubelet etcd 2>/dev/null || true
if [ -x "$BIN_DIR/crictl" ] && systemctl is-active -q containerd; then
    "$BIN_DIR/crictl" pods -q | while read -r pod; do "$BIN_DIR/crictl" rmp -f "$pod" >/dev/null 2>&1 || true; done
fi
systemctl disable -q --now containerd 2>/dev/null || true
# containerd's unit leaves its shims alive by intent.
pkill -f "^$BIN_DIR/containerd-shim-runc-v2 " || true
for link in cni0 flannel.1; do ip link delete "$link" 2>/dev/null || true; done
for table in filter nat mangle; do
    iptables-save -t "$table" 2>/dev/null | grep -E '^:(KUBE|CNI|FLANNEL)' | while read -r line; do
        chain=${line#:}
        iptables -t "$table" -F "${chain%% *}"
    done
    iptables-save -t "$table" 2>/dev/null | grep -E '^-A (INPUT|OUTPUT|FORWARD|PREROUTING|POSTROUTING) .*-j (KUBE|CNI|FLANNEL)' | sed 's/^-A/-D/' |
        while read -r rule; do
            eval "iptables -t $table $rule" # the saved form quotes comments
        done
    iptables-save -t "$table" 2>/dev/null | grep -E '^:(KUBE|CNI|FLANNEL)' | while read -r line; do
        chain=${line#:}
        iptables -t "$table" -X "${chain%% *}"
    done
done
mount | awk '$3 ~ "^/var/lib/kubelet|^/run/containerd|^/run/netns/cni-" {print $3}' | sort -r | while read -r point; do umount -l "$point" || true; done
rm -rf /etc/cni /opt/cni /var/lib/cni /etc/kubernetes /var/lib/kubelet /var/lib/etcd /etc/etcd.env /run/flannel /run/containerd /var/lib/containerd \
    /etc/containerd /root/.kube /etc/systemd/system/kubelet.service /etc/systemd/system/containerd.service /etc/systemd/system/etcd.service \
    /var/lib/kubespray-standin /etc/sysctl.d/99-kubernetes.conf /etc/modules-load.d/kubernetes.conf /etc/crictl.yaml
for program in kubelet kubeadm kubectl crictl runc containerd containerd-shim-runc-v2 ctr etcd etcdctl etcdutl; do rm -f "$BIN_DIR/$program"; done
systemctl daemon-reload
echo reset
