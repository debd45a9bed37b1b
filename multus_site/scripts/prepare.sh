# Prepares a host for preflight: sets up the NICs that the site uses, and gives APT the site's sources.
# It does not report problems of the host: preflight reports all of them at once (multus_site/scripts/facts.sh).
# Variables: UPLINKS (NICs by name, space separated, may be empty), FOUND_BY (NICs by anything else: found-nics.sh), PACKAGES (the line of APT's sources of an air-gapped
# site; empty: the node keeps its own sources), MADE (empty: `up` did not create the machine, and its NICs keep their MTU),
# LOOKED (a number, printed unchanged). Prints one line of JSON that identifies the machine.
set -eu

# include: found-nics if FOUND_BY
# cloud-init may still be renaming interfaces: wait up to a minute.
missing_nics() {
    for nic in $UPLINKS; do
        [ -d "/sys/class/net/$nic" ] || printf '%s ' "$nic"
    done
}
tries=0
while [ -n "$(missing_nics)" ] && [ "$tries" -lt "${TRIES:-30}" ]; do
    tries=$((tries + 1))
    sleep 2
done

# The node's own sources are kept but not used; without these two files they are used again.
sources=/etc/apt/multus-site.list
if [ -z "$PACKAGES" ]; then
    rm -f "$sources" /etc/apt/apt.conf.d/99multus-site
elif [ -d /etc/apt/apt.conf.d ]; then
    printf '%s\n' "$PACKAGES" >"$sources"
    printf 'Dir::Etc::SourceList "%s";\nDir::Etc::SourceParts "/dev/null";\n' "$sources" >/etc/apt/apt.conf.d/99multus-site
fi

made=/var/lib/multus-site/nics # NAME MTU a line: NICs as they were first met
first_mtu() { # nic
    mkdir -p "${made%/*}"
    mtu=''
    [ ! -e "$made" ] || mtu=$(sed -n "s/^$1 //p" "$made")
    if [ -z "$mtu" ]; then
        echo "$1 $(cat "/sys/class/net/$1/mtu")" >>"$made"
    elif [ "$mtu" != "$(cat "/sys/class/net/$1/mtu")" ]; then
        ip link set dev "$1" mtu "$mtu" || {
            echo "$(cat /proc/sys/kernel/hostname): interface $1 cannot have an MTU of $mtu: $(ip -br link show dev "$1")" >&2
            exit 1
        }
    fi
}

for nic in $UPLINKS; do
    [ -d "/sys/class/net/$nic" ] || continue
    ip link set dev "$nic" up || continue
    tries=0
    while [ "$(cat "/sys/class/net/$nic/carrier" 2>/dev/null || echo 0)" != 1 ] && [ "$tries" -lt 10 ]; do
        tries=$((tries + 1))
        sleep 1
    done
    [ -z "$MADE" ] || first_mtu "$nic"
done

memory=$(($(sed -n 's/^MemTotal: *\([0-9]*\) kB$/\1/p' /proc/meminfo) / 1024)) # MiB
printf '{"hostname": "%s", "machineId": "%s", "architecture": "%s", "kernel": "%s", "memory": %s, "looked": %s}\n' \
    "$(cat /proc/sys/kernel/hostname)" "$(cat /etc/machine-id 2>/dev/null)" "$(uname -m)" "$(uname -r)" "$memory" "$LOOKED"
