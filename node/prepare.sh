# Waits until the node is a node: right host name, a machine-id, Python, and the NICs that the site names, present and up.
# Variables: NODE (host name), UPLINKS (space separated, may be empty), PACKAGES (the one line of APT's sources of an air-gapped
# site; empty: the node's own sources stay), MADE (empty: the machine is somebody else's, and its NICs keep the MTU that they have). Prints one line of JSON; a finding a line on stderr, then exit 1.
set -eu

findings=''
finding() { findings="${findings}${NODE}: $1
"; }

# cloud-init may still be renaming interfaces: what counts is what holds within a minute.
missing_nics() {
    for nic in $UPLINKS; do
        [ -d "/sys/class/net/$nic" ] || printf '%s ' "$nic"
    done
}
tries=0
while [ -n "$(missing_nics)" ] && [ "$tries" -lt 30 ]; do
    tries=$((tries + 1))
    sleep 2
done

# The sources that the node came with are left as they are, and not asked: without these two files they are again.
sources=/etc/apt/multus-site.list
if [ -n "$PACKAGES" ]; then
    if command -v apt-get >/dev/null; then
        printf '%s\n' "$PACKAGES" >"$sources"
        printf 'Dir::Etc::SourceList "%s";\nDir::Etc::SourceParts "/dev/null";\n' "$sources" >/etc/apt/apt.conf.d/99multus-site
    else
        finding "it has no apt-get, and airGap.os says that it is a Debian or an Ubuntu; correct airGap.os"
    fi
else
    rm -f "$sources" /etc/apt/apt.conf.d/99multus-site
fi

name=$(cat /proc/sys/kernel/hostname)
[ "$name" = "$NODE" ] || finding "its host name is $name; set it: hostnamectl set-hostname $NODE"
[ -s /etc/machine-id ] || finding "/etc/machine-id is empty; make one: systemd-machine-id-setup"
command -v python3 >/dev/null || finding "there is no python3, which Ansible needs; install it: apt-get install python3"

made=/var/lib/multus-site/nics # NAME MTU a line: NICs as they were first met
first_mtu() { # nic
    mkdir -p "${made%/*}"
    mtu=''
    [ ! -e "$made" ] || mtu=$(sed -n "s/^$1 //p" "$made")
    if [ -z "$mtu" ]; then
        echo "$1 $(cat "/sys/class/net/$1/mtu")" >>"$made"
    elif [ "$mtu" != "$(cat "/sys/class/net/$1/mtu")" ]; then
        ip link set dev "$1" mtu "$mtu" || finding "interface $1 cannot have an MTU of $mtu: $(ip -br link show dev "$1")"
    fi
}

there=$(cd /sys/class/net && echo *)
nics=''
for nic in $UPLINKS; do
    if ! [ -d "/sys/class/net/$nic" ]; then
        finding "there is no interface $nic; it has: $there"
        continue
    fi
    ip link set dev "$nic" up || finding "interface $nic cannot be set up: $(ip -br link show dev "$nic")"
    tries=0
    while [ "$(cat "/sys/class/net/$nic/carrier" 2>/dev/null || echo 0)" != 1 ] && [ "$tries" -lt 10 ]; do
        tries=$((tries + 1))
        sleep 1
    done
    [ "$(cat "/sys/class/net/$nic/carrier" 2>/dev/null || echo 0)" = 1 ] ||
        finding "interface $nic has no carrier; look at its cable, switch port or virtual network"
    [ -z "$MADE" ] || first_mtu "$nic"
    mtu=$(cat "/sys/class/net/$nic/mtu")
    mac=$(cat "/sys/class/net/$nic/address")
    nics="$nics${nics:+, }\"$nic\": {\"mtu\": $mtu, \"mac\": \"$mac\"}"
done

if [ -n "$findings" ]; then
    printf '%s' "$findings" >&2
    exit 1
fi
memory=$(($(sed -n 's/^MemTotal: *\([0-9]*\) kB$/\1/p' /proc/meminfo) / 1024)) # MiB
printf '{"hostname": "%s", "machineId": "%s", "architecture": "%s", "kernel": "%s", "memory": %s, "nics": {%s}}\n' \
    "$name" "$(cat /etc/machine-id)" "$(uname -m)" "$(uname -r)" "$memory" "$nics"
