# Prints the facts of a host before anything is installed on it. It only reads, and no state of the host makes it fail.
# Variables: MODULES (kernel modules), PORTS (TCP ports); space separated, either may be empty.
# Prints one line of JSON. A value that cannot be determined is "", null or absent.
set -eu
# Directories of administrators, which are not on the PATH of an SSH login.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

text() { # value: as a string of JSON
    printf '"%s"' "$(printf '%s' "$1" | tr -d '\000-\037' | sed 's/\\/\\\\/g; s/"/\\"/g')"
}
first_line() { # file
    head -n 1 "$1" 2>/dev/null || true
}
yes_or_no() { # command
    if "$@" >/dev/null 2>&1; then echo true; else echo false; fi
}
list='' # of JSON members
member() { list="$list${list:+, }$1"; }

os() {
    (
        ID='' VERSION_ID='' PRETTY_NAME=''
        # shellcheck source=/dev/null
        [ ! -r /etc/os-release ] || . /etc/os-release
        printf '{"id": %s, "version": %s, "name": %s}' "$(text "$ID")" "$(text "$VERSION_ID")" "$(text "$PRETTY_NAME")"
    )
}

free() { # directory: MiB
    df -Pm "$1" | awk 'NR == 2 { print $4 }'
}

synchronized() {
    case $(timeout 5 timedatectl show --property NTPSynchronized --value 2>/dev/null) in
        yes) echo true ;;
        no) echo false ;;
        *) echo null ;;
    esac
}

hypervisor() {
    # It prints "none" and fails if there is none.
    found=$(systemd-detect-virt --vm 2>/dev/null) || true
    printf '%s' "${found:-$(grep -q '^flags.* hypervisor' /proc/cpuinfo && echo unknown || echo none)}"
}

container() {
    found=$(first_line /run/systemd/container)
    printf '%s' "${found:-$({ tr '\000' '\n' </proc/1/environ | sed -n 's/^container=//p'; } 2>/dev/null)}"
}

# include: nics
container=$(container)
addresses=$(ip -o addr show 2>/dev/null | awk '$0 !~ / scope (link|host)/ { print $2, $4 }')
defaults=$({ ip route show default && ip -6 route show default; } 2>/dev/null | sed -n 's/.* dev \([^ ]*\).*/\1/p')
kinds=$(for kind in bond bridge vlan vxlan veth macvlan ipvlan dummy tun vrf; do
    ip -o link show type "$kind" 2>/dev/null | awk -F ': ' -v kind="$kind" '{ sub("@.*", "", $2); print $2, kind }'
done)

addresses_of() { # name
    # By the environment: awk would read escapes in -v, and a name may have any.
    printf '%s\n' "$addresses" | NAME=$1 awk '$1 == ENVIRON["NAME"] { printf "%s\"%s\"", sep, $2; sep = ", " }'
}

nic() { # name
    sys=/sys/class/net/$1
    kind=$(printf '%s\n' "$kinds" | NAME=$1 awk '$1 == ENVIRON["NAME"] { print $2; exit }')
    device=$(device_of "$1")
    [ -n "$kind" ] || kind=$([ -n "$device" ] && echo physical || echo virtual)
    driver=$(readlink "$sys/device/driver" 2>/dev/null) || driver=''
    # For a NIC without a link the kernel reports no speed, or -1.
    speed=$(cat "$sys/speed" 2>/dev/null) || speed=''
    case $speed in '' | -* | 0) speed=null ;; esac
    has=$(addresses_of "$1")
    # An odd number: the interface is up (IFF_UP).
    printf '%s: {"mac": %s, "mtu": %s, "up": %s, "carrier": %s, "addresses": [%s], "driver": %s, "speed": %s, "pci": %s, "path": %s, "default": %s, "kind": "%s", "master": %s, "below": [%s], "altnames": [%s], "functions": %s}' \
        "$(text "$1")" "$(text "$(mac_of "$1")")" "$(cat "$sys/mtu" || echo 0)" \
        "$(yes_or_no [ $(($(cat "$sys/flags") & 1)) = 1 ])" "$(yes_or_no [ "$(cat "$sys/carrier" 2>/dev/null)" = 1 ])" \
        "$has" "$(text "${driver##*/}")" "$speed" "$(text "$(pci_of "$1")")" "$(text "$device")" "$(yes_or_no has_line "$defaults" "$1")" "$kind" \
        "$(text "$(above_of "$1")")" "$(below_of "$1" | quoted)" "$(altnames_of "$1" | quoted)" "$(cat "$sys/device/sriov_totalvfs" 2>/dev/null || echo 0)"
}
quoted() { # words on standard input, a line each: as members of a list of JSON
    tr -d '\000-\011\013-\037' | sed 's/\\/\\\\/g; s/"/\\"/g' | awk '{ printf "%s\"%s\"", sep, $0; sep = ", " }'
}
has_line() { # lines, line
    printf '%s\n' "$1" | grep -qxF -- "$2"
}

nics() {
    list=''
    # Not a loop over words: a name may be a pattern of files.
    while read -r name; do
        # An interface may disappear while this runs.
        [ -z "$name" ] || [ ! -d "/sys/class/net/$name" ] || member "$(nic "$name")"
    done <<LIST
$(nic_names)
LIST
    printf '%s' "$list"
}

# Whether the kernel can create an interface of the type, tried in a network namespace that ends with the command. 2: it cannot be tried.
makes() { # module
    case $1 in
        8021q) set -- "$1" link lo0 name probe0 type vlan id 2 ;;
        bonding) set -- "$1" name probe0 type bond ;;
        ipvlan | macvlan) set -- "$1" link lo0 name probe0 type "$1" ;;
        bridge | dummy | veth | vrf | vxlan) set -- "$1" name probe0 type "$1" ;;
        *) return 2 ;;
    esac
    shift
    case $* in
        *type\ vrf) set -- "$@" table 10 ;;
        *type\ vxlan) set -- "$@" id 10 dstport 4789 ;;
    esac
    unshare --net true 2>/dev/null || return 2
    # shellcheck disable=SC2016 # the shell inside has the arguments
    unshare --net sh -c 'ip link add lo0 type dummy 2>/dev/null || ip link add lo0 type veth peer name lo1 || exit 2
        ip link add "$@" || exit 1' sh "$@" >/dev/null 2>&1
}

# How a module shows if neither /sys/module nor a folder of modules lists it: in a kernel without modules, or in a container.
shows() { # module
    case $1 in
        overlay) grep -q '\boverlay$' /proc/filesystems ;;
        nf_conntrack) [ -d /proc/sys/net/netfilter ] ;;
        br_netfilter) [ -d /proc/sys/net/bridge ] ;;
        ip_vs) [ -e /proc/net/ip_vs ] ;;
        sctp) [ -d /proc/net/sctp ] ;;
        tun) [ -c /dev/net/tun ] ;;
        vfio_pci) [ -d /sys/bus/pci/drivers/vfio-pci ] ;;
        *) return 1 ;;
    esac
}

module() { # name: what is known of it; nothing where nothing is
    name=$(printf '%s' "$1" | tr - _) tree=/lib/modules/$(uname -r)
    pattern="/$(printf '%s' "$name" | sed 's/_/[-_]/g')\.ko"
    if [ -d "/sys/module/$name" ] || shows "$name"; then
        echo loaded
    elif [ -n "$container" ] || ! [ -r "$tree/modules.dep" ]; then
        # The folder of modules in a container does not describe the kernel of the machine.
        made=0
        makes "$name" || made=$?
        case $made in
            0) echo built-in ;;
            2) ;; # it can't be tried
            *) echo absent ;;
        esac
    elif grep -q "$pattern" "$tree/modules.builtin" 2>/dev/null; then
        echo built-in
    # A module that an administrator disabled (`install NAME /bin/false`) is missing.
    elif grep -q "^[^:]*$pattern" "$tree/modules.dep" && ! modprobe -n -v "$name" 2>/dev/null | grep -qE '^install .*/(true|false)'; then
        echo available
    else
        echo absent
    fi
}

modules() {
    list=''
    for wanted in $MODULES; do
        found=$(module "$wanted")
        [ -z "$found" ] || member "$(text "$wanted"): \"$found\""
    done
    printf '%s' "$list"
}

ports() {
    list=''
    for port in $PORTS; do
        hex=$(printf ':%04X' "$port")
        # Field 2 is the local address, 4 the state: 0A is LISTEN.
        awk -v end="$hex\$" '$4 == "0A" && $2 ~ end { found = 1 } END { exit !found }' /proc/net/tcp /proc/net/tcp6 2>/dev/null || continue
        holder=$(ss -Hltnp "sport = :$port" 2>/dev/null | sed -n 's/.*users:(("\([^"]*\)".*/\1/p' | head -n 1)
        member "\"$port\": $(text "$holder")"
    done
    printf '%s' "$list"
}

left() { # what clusters leave, and what others than Kubespray keep
    list=''
    for path in /etc/kubernetes/manifests/*.yaml /var/lib/etcd/member /etc/cni/net.d/*.conf* \
        /var/lib/rancher/k3s /var/lib/rancher/rke2 /var/snap/microk8s /var/lib/k0s; do
        [ ! -e "$path" ] || member "$(text "$path")"
    done
    printf '%s' "$list"
}

cluster() {
    conf=/etc/kubernetes/kubelet.conf authority='' record=/var/lib/multus-site/kubespray.json
    for file in /etc/kubernetes/ssl/ca.crt /etc/kubernetes/pki/ca.crt; do
        [ -n "$authority" ] || [ ! -r "$file" ] || authority=$(sha256sum "$file" | cut -d ' ' -f 1)
    done
    printf '{"kubelet": %s, "server": %s, "ca": "%s", "site": %s, "left": [%s]}' \
        "$(yes_or_no [ -e $conf ])" "$(text "$(sed -n 's/^ *server: *//p' $conf 2>/dev/null | head -n 1)")" "$authority" \
        "$(text "$(sed -n 's/.*"site": *"\([^"]*\)".*/\1/p' $record 2>/dev/null)")" "$(left)"
}

multus() { # a Multus that is there already: its configuration, what its shim says, and the cluster's own network
    shim=/opt/cni/bin/multus-shim
    network=$(for file in /etc/cni/net.d/*.conf /etc/cni/net.d/*.conflist; do
        case ${file##*/} in 00-multus*) continue ;; esac
        [ ! -s "$file" ] || printf '%s\n' "$file"
    done | LC_ALL=C sort | head -n 1)
    printf '{"conf": %s, "version": %s, "network": %s}' \
        "$(text "$(cat /etc/cni/net.d/00-multus.conf 2>/dev/null)")" \
        "$(text "$([ ! -x $shim ] || timeout 5 $shim -version 2>/dev/null)")" \
        "$(text "$([ -z "$network" ] || cat "$network" 2>/dev/null)")"
}

meminfo() { # entry: MiB
    echo $(($(sed -n "s/^$1: *\([0-9]*\) kB$/\1/p" /proc/meminfo) / 1024))
}

printf '{"hostname": %s, "machineId": %s, "productUuid": %s, "architecture": %s, "kernel": %s, "os": %s, "python": %s, ' \
    "$(text "$(cat /proc/sys/kernel/hostname)")" "$(text "$(first_line /etc/machine-id)")" \
    "$(text "$(first_line /sys/class/dmi/id/product_uuid)")" "$(text "$(uname -m)")" "$(text "$(uname -r)")" "$(os)" \
    "$(text "$(python3 -c 'import platform; print(platform.python_version())' 2>/dev/null)")"
printf '"init": %s, "memory": %s, "swap": %s, "disk": {"/": %s, "/var": %s}, "cgroup": %s, "clock": %s, "synchronized": %s, ' \
    "$(text "$(cat /proc/1/comm)")" "$(meminfo MemTotal)" "$(meminfo SwapTotal)" "$(free /)" "$(free /var)" \
    "$([ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ] && echo 2 || echo 1)" "$(date +%s)" "$(synchronized)"
# A host that routes has its own address on lo.
printf '"loopback": [%s], "nics": {%s}, "modules": {%s}, "ports": {%s}, "cluster": %s, "multus": %s, "hypervisor": %s, "container": %s, "iommu": %s, "apt": %s}\n' \
    "$(addresses_of lo)" "$(nics)" "$(modules)" "$(ports)" "$(cluster)" "$(multus)" "$(text "$(hypervisor)")" "$(text "$container")" \
    "$(yes_or_no ls -d /sys/kernel/iommu_groups/0)" "$(yes_or_no command -v apt-get)"
