# Runs in the Multus container: gives the node its 00-multus.conf and Multus the cluster's own network. Argument: run | check
#   run: waits for the cluster's network, writes the configuration, becomes the daemon.
#   check: whether all of this is still so; the probes of the container ask.
# Variables, for tests: NET, OURS, OWN, SOCKET, DAEMON.
set -eu
export LC_ALL=C # files are sorted as the runtime sorts them

net=${NET:-/host/etc/cni/net.d}
ours=${OURS:-/etc/cni/net.d/multus.d/00-multus.conf}
own=${OWN:-/run/multus-site} # of the container: gone when it restarts
socket=${SOCKET:-/host/run/multus/multus.sock}
daemon=${DAEMON:-/usr/src/multus-cni/bin/multus-daemon}

# The configuration that sorts first, as Multus chooses it; one that is being written is still empty.
find_network() { # sets $network
    network=$(for file in "$net"/*.conf "$net"/*.conflist; do
        case ${file##*/} in 00-multus*) continue ;; esac
        [ ! -s "$file" ] || printf '%s\n' "${file##*/}"
    done | sort | head -n 1)
    [ -n "$network" ]
}

run() {
    mkdir -p "$own/daemon"
    until find_network; do sleep 1; done
    # A folder, not the file: Multus 4.2.1 to 4.3.0 keeps only a part of a .conflist that it is given by its path, and
    # calls DEL with that part. A link, so that a file that is written again is read again.
    rm -rf "$own/cluster-network"
    mkdir "$own/cluster-network"
    ln -s "$net/$network" "$own/cluster-network/$network"
    # The mounted file changes under a running daemon; the check compares with what this one began with.
    cp "$ours" "$own/00-multus.conf"
    # The runtime reads no .new. It never finds half a file, and the file stays while the daemon is away: a pod that
    # starts then waits for the daemon instead of starting without its networks.
    install -m 0600 "$own/00-multus.conf" "$net/00-multus.conf.new"
    sync "$net/00-multus.conf.new"
    mv -f "$net/00-multus.conf.new" "$net/00-multus.conf"
    exec "$daemon"
}

check() {
    cmp -s "$own/00-multus.conf" "$net/00-multus.conf" && [ -S "$socket" ] && find_network &&
        [ "$(readlink "$own/cluster-network/$network")" = "$net/$network" ]
}

"$1"
