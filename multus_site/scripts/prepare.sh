# Makes a host ready to be looked at: NICs that the site names are set up, APT's sources are those that the site names.
# What is wrong with the host is not said here: preflight looks at it (multus_site/scripts/facts.sh) and says everything at once.
# Variables: UPLINKS (NICs by name, space separated, may be empty), FOUND_BY (NICs by anything else: found-nics.sh), PACKAGES (the one line of APT's sources of an air-gapped
# site; empty: the node's own sources stay), MADE (empty: the machine is somebody else's, and its NICs keep the MTU that they have),
# LOOKED (a number, printed as it is). Prints one line of JSON: which machine it is.
set -eu

# include: found-nics if FOUND_BY
# cloud-init may still be renaming interfaces: what counts is what holds within a minute.
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

# The sources that the node came with are left as they are, and not asked: without these two files they are again.
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
