# Prints what a node has of what was applied to it, and changes nothing.
# Variables: PLUGINS (names, space separated), UPLINKS (NICs and links, space separated). Prints one line of JSON.
# Plugins of the cluster's own network are found from its configuration, which is passed on as base64.
set -eu

list='' # of JSON members
member() { list="$list${list:+, }$1"; }

plugins() {
    list=''
    for name in $PLUGINS; do
        file=/opt/cni/bin/$name
        [ -f "$file" ] || continue
        member "\"$name\": {\"sha256\": \"$(sha256sum "$file" | cut -d ' ' -f 1)\", \"mode\": \"$(stat -c '%U:%G %a' "$file")\"}"
    done
    printf '%s' "$list"
}

nics() {
    list=''
    for nic in $UPLINKS; do
        [ -d "/sys/class/net/$nic" ] || continue
        # Odd: the interface is set up (IFF_UP).
        flags=$(cat "/sys/class/net/$nic/flags")
        up=$([ $((flags & 1)) = 1 ] && echo true || echo false)
        member "\"$nic\": {\"up\": $up, \"mtu\": $(cat "/sys/class/net/$nic/mtu"), \"mac\": \"$(cat "/sys/class/net/$nic/address")\"}"
    done
    printf '%s' "$list"
}

configs() {
    list=''
    for file in /etc/cni/multus/net.d/multus-site-*.conflist; do
        [ ! -e "$file" ] || member "\"$file\": \"$(sha256sum "$file" | cut -d ' ' -f 1)\""
    done
    printf '%s' "$list"
}

present() { # every file among the plugins, and whether root can execute it
    list=''
    for file in /opt/cni/bin/*; do
        case ${file##*/} in *[!A-Za-z0-9._-]*) continue ;; esac
        [ -f "$file" ] || continue
        member "\"${file##*/}\": \"$(stat -c %a "$file")\""
    done
    printf '%s' "$list"
}

cluster() {
    list=''
    for file in /etc/cni/net.d/*.conf /etc/cni/net.d/*.conflist; do
        case $file in */00-multus.conf) continue ;; esac
        [ ! -f "$file" ] || member "\"$(head -c 65536 "$file" | base64 -w 0)\""
    done
    printf '%s' "$list"
}

files() {
    list=''
    for file in /etc/cni/net.d/00-multus.conf /opt/cni/bin/multus-shim; do
        [ -s "$file" ] && member "\"$file\""
    done
    printf '%s' "$list"
}

record=/var/lib/multus-site/kubespray.json
printf '{"hostname": "%s", "machineId": "%s", "plugins": {%s}, "nics": {%s}, "configs": {%s}, "files": [%s], "present": {%s}, "cluster": [%s], "kubespray": %s}\n' \
    "$(cat /proc/sys/kernel/hostname)" "$(cat /etc/machine-id)" "$(plugins)" "$(nics)" "$(configs)" "$(files)" "$(present)" "$(cluster)" \
    "$(if [ -s $record ]; then tr -d '\n' <$record; else echo null; fi)"
