# VLAN sub-interfaces and bonds of a node, in files of our own that are replaced and restored together. Part of networks.sh.
# Variables, in lines: LINKS (`NAME vlan LINK ID MTU` or `NAME bond MODE MTU MEMBER…`, MTU `-` for none). MANAGEMENT: the
# address of the node, which every change must keep.

networkd=/etc/systemd/network
netplan=/etc/netplan/90-multus-site.yaml

netplan_rules() { command -v netplan >/dev/null && ls /etc/netplan/*.yaml >/dev/null 2>&1; }

ours() { find "$networkd" -maxdepth 2 \( -name '70-multus-site-*' -o -path '*.d/multus-site.conf' \) 2>/dev/null; }

own_mtu() { [ "$1" = - ] || printf 'MTUBytes=%s\n' "$1"; }

network_of() { # interface: the .network file that systemd-networkd has for it, nothing if none
    networkctl status "$1" 2>/dev/null | sed -n 's/^ *Network File: *\(\/[^ ]*\.network\).*/\1/p' | head -n 1
}

into_network_of() { # interface: adds lines from standard input to its .network: to our own file, or to a drop-in of somebody else's
    found=$(network_of "$1")
    case $found in
        '' | */70-multus-site-*) file=$networkd/70-multus-site-$1.network ;;
        *) file=$networkd/${found##*/}.d/multus-site.conf ;;
    esac
    mkdir -p "$(dirname "$file")"
    if [ ! -e "$file" ]; then
        case $file in
            *.network) printf '[Match]\nName=%s\n[Network]\nLinkLocalAddressing=no\n' "$1" >"$file" ;;
            *) printf '[Network]\n' >"$file" ;;
        esac
    fi
    cat >>"$file"
}

write_networkd() {
    while read -r name kind rest; do
        [ -n "$name" ] || continue
        # shellcheck disable=SC2086 # words, split on purpose
        set -- $rest
        if [ "$kind" = vlan ]; then
            { printf '[NetDev]\nName=%s\nKind=vlan\n' "$name" && own_mtu "$3" && printf '[VLAN]\nId=%s\n' "$2"; } \
                >"$networkd/70-multus-site-$name.netdev"
            printf 'VLAN=%s\n' "$name" | into_network_of "$1"
        else
            { printf '[NetDev]\nName=%s\nKind=bond\n' "$name" && own_mtu "$2" && printf '[Bond]\nMode=%s\nMIIMonitorSec=100ms\n' "$1"; } \
                >"$networkd/70-multus-site-$name.netdev"
            shift 2
            for member; do printf 'Bond=%s\n' "$name" | into_network_of "$member"; done
        fi
        printf '' | into_network_of "$name"
    done <<LIST
$LINKS
LIST
}

write_netplan() {
    bonds='' vlans='' members=''
    while read -r name kind rest; do
        [ -n "$name" ] || continue
        # shellcheck disable=SC2086 # words, split on purpose
        set -- $rest
        if [ "$kind" = vlan ]; then
            mtu=''
            [ "$3" = - ] || mtu=", mtu: $3"
            vlans="$vlans    $name: {id: $2, link: $1, link-local: []$mtu}
"
        else
            mode=$1 mtu=''
            [ "$2" = - ] || mtu=", mtu: $2"
            shift 2
            for member; do members="$members    $member: {}
"; done
            bonds="$bonds    $name: {interfaces: [$(echo "$@" | sed 's/ /, /g')], parameters: {mode: $mode, mii-monitor-interval: 100}, link-local: []$mtu}
"
        fi
    done <<LIST
$LINKS
LIST
    printf 'network:\n  version: 2\n'
    [ -z "$members" ] || printf '  ethernets:\n%s' "$members"
    [ -z "$bonds" ] || printf '  bonds:\n%s' "$bonds"
    [ -z "$vlans" ] || printf '  vlans:\n%s' "$vlans"
}

neighbour() { ip route show default | sed -n 's/.* via \([^ ]*\).*/\1/p' | head -n 1; }

reachable() { # whether the node has kept its address, and what answered before still answers
    ip -o addr show | grep -qF " $MANAGEMENT/" || return 1
    [ -z "$1" ] || ping -c 1 -W 2 "$1" >/dev/null 2>&1 || ping -c 2 -W 3 "$1" >/dev/null 2>&1
}

activate() {
    if netplan_rules; then
        netplan apply
    else
        systemctl is-active --quiet systemd-networkd || systemctl enable --quiet --now systemd-networkd
        networkctl reload
    fi
}

link_names() { printf '%s\n' "$LINKS" | sed -n 's/^\([^ ]\{1,\}\) .*/\1/p'; }

missing_links() {
    for name in $(link_names); do
        [ -d "/sys/class/net/$name" ] || printf '%s ' "$name"
    done
}

settle() { # restores what somebody may have changed by hand: up, and the MTU that the site asks for
    while read -r name kind rest; do
        [ -n "$name" ] || continue
        # shellcheck disable=SC2086 # words, split on purpose
        set -- $rest
        mtu=$2
        [ "$kind" = bond ] || mtu=$3
        [ "$kind $mtu" != "vlan -" ] || mtu=$(cat "/sys/class/net/$1/mtu")
        ip link set dev "$name" up
        [ "$mtu" = - ] || [ "$(cat "/sys/class/net/$name/mtu")" = "$mtu" ] || ip link set dev "$name" mtu "$mtu"
    done <<LIST
$LINKS
LIST
}

had() { # links that our files made before
    find "$networkd" -name '70-multus-site-*.netdev' 2>/dev/null | sed 's/.*70-multus-site-\(.*\)\.netdev/\1/'
    [ ! -e "$netplan" ] || sed -n 's/^    \([^:]*\): {\(id\|interfaces\):.*/\1/p' "$netplan"
}

links() {
    kept=$(mktemp -d)
    trap 'rm -rf "$kept"' EXIT
    before=$(had)
    if netplan_rules; then
        [ -n "$LINKS" ] || [ -e "$netplan" ] || return 0
        [ ! -e "$netplan" ] || cp -p "$netplan" "$kept/netplan"
        if [ -z "$LINKS" ]; then
            rm -f "$netplan"
        else
            write_netplan >"$kept/new"
            if cmp -s "$kept/new" "$netplan" && [ -z "$(missing_links)" ]; then
                settle
                return 0
            fi
            install -m 0600 "$kept/new" "$netplan"
        fi
    else
        [ -n "$LINKS" ] || [ -n "$before" ] || return 0
        if systemctl is-active --quiet NetworkManager 2>/dev/null && ! systemctl is-active --quiet systemd-networkd; then
            say "NetworkManager runs this node's network; create $(link_names | tr '\n' ' ')with nmcli, and remove them from links"
            exit 1
        fi
        mkdir -p "$networkd" "$kept/old"
        ours >"$kept/list"
        while read -r file; do
            mkdir -p "$kept/old${file%/*}"
            mv "$file" "$kept/old$file"
        done <"$kept/list"
        write_networkd
        (cd "$kept/old" && find . -type f | sort | xargs -r sha256sum) >"$kept/sums-old"
        (cd / && ours | sed 's|^/|./|' | sort | xargs -r sha256sum) >"$kept/sums-new"
        if cmp -s "$kept/sums-old" "$kept/sums-new" && [ -z "$(missing_links)" ]; then
            settle
            return 0
        fi
    fi
    # The change may break the connection of this script: it continues without one, and restores the network if needed.
    trap '' HUP PIPE
    answered=$(neighbour)
    [ -z "$answered" ] || ping -c 1 -W 2 "$answered" >/dev/null 2>&1 || answered=''
    activate || say "the network configuration was refused"
    for name in $before; do
        link_names | grep -qx "$name" || ip link delete "$name" 2>/dev/null || true
    done
    tries=0
    while [ -n "$(missing_links)" ] && [ "$tries" -lt 15 ]; do
        tries=$((tries + 1))
        sleep 1
    done
    missing=$(missing_links)
    if [ -z "$missing" ] && reachable "$answered"; then
        settle
        return 0
    fi
    why="$MANAGEMENT was lost"
    [ -z "$missing" ] || why="${missing}did not come up"
    take_back
    say "$why; the node's network is as it was before. See why: journalctl -u systemd-networkd"
    exit 1
}

take_back() {
    if netplan_rules; then
        rm -f "$netplan"
        [ ! -e "$kept/netplan" ] || cp -p "$kept/netplan" "$netplan"
    else
        ours >"$kept/list"
        while read -r file; do rm -f "$file"; done <"$kept/list"
        [ ! -d "$kept/old/etc" ] || cp -a "$kept/old/." /
    fi
    for name in $(link_names); do
        printf '%s\n' "$before" | grep -qx "$name" || ip link delete "$name" 2>/dev/null || true
    done
    activate || true
}

links_as_json() {
    told='' # of JSON members
    for name in $(link_names); do told="$told${told:+, }\"$name\": {\"mtu\": $(cat "/sys/class/net/$name/mtu")}"; done
    printf '{%s}' "$told"
}
