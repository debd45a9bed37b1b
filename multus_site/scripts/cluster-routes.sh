# Leads the pod's default route through another network than eth0, and keeps pods, services and nodes reachable. Runs in an init
# container of the pod. Variables: NETWORKS (CIDRs, space separated), DEFAULT (interface=router, space separated).
# Multus is asked for that default route too, and says in network-status that it is there; but with netlink 1.3 (Multus 4.3.0)
# it takes eth0's for no default route, leaves it, and lets its own go for existing already (pkg/netutils).
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

for route in $DEFAULT; do
    case $route in
        *:*) family=-6 ;;
        *) family=-4 ;;
    esac
    while ip "$family" route del default dev eth0 2>/dev/null; do :; done
    ip "$family" route replace default via "${route#*=}" dev "${route%%=*}"
done
ip route show
