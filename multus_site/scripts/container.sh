# Creates or removes a system container that is used as a node; runs where Pulumi runs.
# Argument: make | change | remove. Variables: NAME, SITE, NODE (host name), IMAGE, ATTACH (podman --network values, space separated),
# MANAGEMENT (the podman network with its address), HOST_KEY, HOST_KEY_PUBLIC, AUTHORIZED_KEY, USER_HOME, STARTED (only makes the text differ);
# in the environment LIMIT_CPUS and LIMIT_MEMORY_MIB, its limits, both optional. Prints the container's id.
set -eu

remove() { # container
    at_runtime=$(podman inspect --format '{{.OCIRuntime}} delete --force {{.Id}}' "$1" 2>/dev/null) || at_runtime=true
    # --volumes: the node's /var, the only part outside its root file system. --time 0: there is nothing to save.
    set -- timeout 120 podman rm --force --time 0 --volumes --ignore "$1"
    # If podman's monitor was killed with the container, the first removal fails and records that; the
    # runtime's record and the control groups stay.
    "$@" >/dev/null 2>&1 || "$@" >/dev/null
    $at_runtime
}

start() { # the container, which may run
    podman start "$NAME" >/dev/null
    [ -e "/proc/$(podman inspect --format '{{.State.Pid}}' "$NAME")/ns/mnt" ] || {
        # podman learns only from its monitor that a container has ended.
        echo "container $NAME has ended, and podman's monitor with it (conmon), so that podman takes it for running and does not start it." >&2
        echo "To make it anew: pulumi up --replace '**$NAME-machine'" >&2
        exit 1
    }
}

gateway() { # of the management network; that of its first subnet, of which dual stack has two
    gateways=$(podman network inspect --format '{{range .Subnets}}{{.Gateway}} {{end}}' "$MANAGEMENT")
    printf '%s' "${gateways%% *}"
}

limit() { # name in /proc/self/limits, most; the hard limit, but not above the most
    awk -v name="$1" -v most="$2" 'index($0, name) == 1 {
        hard = $(NF - 1); print (hard == "unlimited" || hard > most + 0) ? most : hard }' /proc/self/limits
}

unit() { # what a machine has by itself and a container lacks, at each of its starts
    # Volumes of pods can be mounted into each other only if / is shared. Without a default route, the node itself cannot reach
    # the addresses of services; its target does not matter.
    cat <<UNIT
[Unit]
Description=Make the container a node
DefaultDependencies=no
Before=sysinit.target
[Service]
Type=oneshot
ExecStart=mount --make-rshared /
ExecStart=-ip route add default via $gateway
[Install]
WantedBy=sysinit.target
UNIT
}

is_ours() { # made for this node of this stack: another one's host keys have another seed
    [ "$(podman inspect --format '{{index .Config.Labels "multus-site.made-with"}}' "$NAME")" = "$HOST_KEY_PUBLIC" ] || {
        echo "container $NAME is there already, and was not made for this stack: one of another checkout or site may be called so." >&2
        echo "Give the site another name; or, if nobody needs it: podman rm --force --volumes $NAME" >&2
        exit 1
    }
}

make() {
    podman image exists "$IMAGE" || {
        echo "container $NAME: there is no image $IMAGE on this machine; build or pull it first" >&2
        exit 1
    }
    gateway=$(gateway)
    files_of_the_node
    if podman container exists "$NAME"; then
        is_ours # and whole, though a killed run did not come to write it down
    else
        create "$NAME.new"
        put_files "$NAME.new"
        # A name server, as DHCP would configure it; the cluster's DNS does not start without an upstream server.
        printf 'nameserver %s\n' "$gateway" >"$dir/resolv.conf"
        chmod 0644 "$dir/resolv.conf"
        podman cp "$dir/resolv.conf" "$NAME.new:/etc/resolv.conf"
        # The name comes last: a container with the name is complete, and leftovers of a killed run are recreated.
        podman rename "$NAME.new" "$NAME"
    fi
    start
    podman inspect --format '{{.Id}}' "$NAME"
}

change() { # keys, limits, or nothing but that it stands still
    podman container exists "$NAME" || {
        echo "container $NAME is gone, though nothing of this site removed it. To make it anew: pulumi up --replace '**$NAME-machine'" >&2
        exit 1
    }
    gateway=$(gateway)
    files_of_the_node
    start
    put_files "$NAME"
    # At each start too: podman before 5.0 forgets them. Without a limit: everything that the machine has, because podman cannot remove one.
    podman update --cpus "${LIMIT_CPUS:-$(nproc)}" --memory "${LIMIT_MEMORY_MIB:-$(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo)}m" "$NAME" >/dev/null
    podman inspect --format '{{.Id}}' "$NAME"
}

create() {
    remove "$1"
    runtime='' systemd=--systemd=always
    if [ "$(stat -fc %T /sys/fs/cgroup)" != cgroup2fs ]; then
        # crun refuses the hybrid hierarchy of cgroup v1; runc accepts it.
        runtime='--runtime runc'
        # Here podman would mount the host's own hierarchy of systemd into the node. The nodes would share it, and each kubelet
        # would remove the others' pods from it as orphans. So this sets the other options that podman sets for systemd.
        systemd='--systemd=false --env container=podman --stop-signal SIGRTMIN+3 --tmpfs /run/lock'
    fi
    networks=''
    for network in $ATTACH; do networks="$networks --network $network"; done
    # Limits above the caller's own need CAP_SYS_RESOURCE.
    files=$(limit 'Max open files' 1048576)
    # podman lowers its own limit of processes to 32768 or more, and cannot raise it again.
    processes=$(limit 'Max processes' 30000)
    # resolv.conf and hosts must be files of the node: installers replace them by rename, which fails for bind mounts.
    # shellcheck disable=SC2086 # options, split on purpose
    podman $runtime create --name "$1" --hostname "$NODE" --label multus-site.node="$NODE" --label multus-site.site="$SITE" \
        --label multus-site.made-with="$HOST_KEY_PUBLIC" ${LIMIT_CPUS:+--cpus "$LIMIT_CPUS"} ${LIMIT_MEMORY_MIB:+--memory "${LIMIT_MEMORY_MIB}m"} \
        $systemd --privileged --cgroupns=private --dns=none --no-hosts \
        --ulimit "nofile=$files:$files" --ulimit "nproc=$processes:$processes" \
        --tmpfs /run --tmpfs /tmp --volume /var $networks "$IMAGE" >/dev/null
}

files_of_the_node() {
    dir=$(mktemp -d)
    trap 'rm -rf "$dir"' EXIT
    # podman keeps the modes of the files.
    umask 077
    mkdir -p "$dir/ssh" "$dir/home" "$dir/units/sysinit.target.wants"
    printf '%s' "$HOST_KEY" >"$dir/ssh/ssh_host_ed25519_key"
    printf '%s\n' "$HOST_KEY_PUBLIC" >"$dir/ssh/ssh_host_ed25519_key.pub"
    printf '%s\n' "$AUTHORIZED_KEY" >"$dir/home/authorized_keys"
    unit >"$dir/units/container-node.service"
    ln -s ../container-node.service "$dir/units/sysinit.target.wants/container-node.service"
}

put_files() {
    podman cp "$dir/units/." "$1:/etc/systemd/system/"
    podman cp "$dir/ssh/." "$1:/etc/ssh/"
    podman cp "$dir/home/." "$1:$USER_HOME/.ssh/"
}

case $1 in
    make) make ;;
    change) change ;;
    remove)
        remove "$NAME.new"
        remove "$NAME"
        ;;
esac
