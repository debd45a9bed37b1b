# Makes or removes a system container that serves as a node; runs where Pulumi runs.
# Argument: apply | remove. Variables: NAME, NODE (host name), IMAGE, ATTACH (podman --network values, space separated),
# HOST_KEY, HOST_KEY_PUBLIC, AUTHORIZED_KEY, USER_HOME. Prints the container's id.
set -eu

remove() {
    # --volumes: the node's /var, which is all that outlives its root file system.
    timeout 120 podman rm --force --time 10 --volumes --ignore "$NAME" >/dev/null
}

limit() { # name in /proc/self/limits; the hard limit, 1048576 where there is none
    awk -v name="$1" 'index($0, name) == 1 { hard = $(NF - 1); print hard == "unlimited" ? 1048576 : hard }' /proc/self/limits
}

apply() {
    podman image exists "$IMAGE" || {
        echo "container $NAME: there is no image $IMAGE on this machine; build or pull it first" >&2
        exit 1
    }
    # What is left of a killed run may be half a node: begin anew.
    remove

    # crun refuses the hybrid hierarchy of cgroup v1; runc takes both.
    runtime=''
    [ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ] || runtime='--runtime runc'
    networks=''
    for network in $ATTACH; do networks="$networks --network $network"; done
    # Limits above the caller's own cannot be set without CAP_SYS_RESOURCE.
    files=$(limit 'Max open files')
    processes=$(limit 'Max processes')
    # resolv.conf and hosts must be files of the node: installers replace them by rename, which a bind mount refuses.
    # shellcheck disable=SC2086 # options, split on purpose
    podman $runtime create --name "$NAME" --hostname "$NODE" --label multus-site.node="$NODE" \
        --systemd=always --privileged --cgroupns=private --dns=none --no-hosts \
        --ulimit "nofile=$files:$files" --ulimit "nproc=$processes:$processes" \
        --tmpfs /run --tmpfs /tmp --volume /var $networks "$IMAGE" >/dev/null

    dir=$(mktemp -d)
    trap 'rm -rf "$dir"' EXIT
    umask 077
    mkdir -p "$dir/ssh" "$dir/home"
    printf '%s' "$HOST_KEY" >"$dir/ssh/ssh_host_ed25519_key"
    printf '%s\n' "$HOST_KEY_PUBLIC" >"$dir/ssh/ssh_host_ed25519_key.pub"
    printf '%s\n' "$AUTHORIZED_KEY" >"$dir/home/authorized_keys"
    podman cp "$dir/ssh/." "$NAME:/etc/ssh/"
    podman cp "$dir/home/." "$NAME:$USER_HOME/.ssh/"
    podman start "$NAME" >/dev/null
    podman inspect --format '{{.Id}}' "$NAME"
}

case $1 in
    apply) apply ;;
    remove) remove ;;
esac
