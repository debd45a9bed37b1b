# Keeps pods, services and nodes reachable where the pod's default route leads through another network: Multus has taken
# eth0's away by now. Runs in an init container of the pod. Variable: NETWORKS (CIDRs, space separated).
set -eu

gateway_of() { # family: the next hop that eth0's network plugin uses
    via=$(ip "$1" route show dev eth0 | sed -n 's/.* via \([^ ]*\).*/\1/p' | head -n 1)
    # Calico and Cilium give the pod a route to the next hop alone; a bridge has the first address of its network.
    [ -n "$via" ] || via=$(ip "$1" route show dev eth0 | sed -n 's/^\([0-9a-f.:]*\) .*/\1/p' | head -n 1)
    if [ -z "$via" ] && [ "$1" = -4 ]; then
        via=$(ip -4 route show dev eth0 | sed -n 's/^\([0-9]*\.[0-9]*\.[0-9]*\)\.0\/[0-9]* .*/\1.1/p' | head -n 1)
    fi
    printf '%s' "$via"
}

for network in $NETWORKS; do
    case $network in
        *:*) family=-6 ;;
        *) family=-4 ;;
    esac
    ip "$family" addr show dev eth0 | grep -q 'scope global' || continue
    gateway=$(gateway_of "$family")
    if [ -z "$gateway" ]; then
        echo "eth0 shows no next hop for $network: $(ip "$family" route show dev eth0 | tr '\n' ';')" >&2
        exit 1
    fi
    ip "$family" route replace "$network" via "$gateway" dev eth0 onlink 2>/dev/null ||
        ip "$family" route replace "$network" via "$gateway" dev eth0
done
ip route show
