# Makes virtual functions of SR-IOV NICs; lies on the node and runs at each boot. Argument: apply | remove.
# Standard input, a line each: PF COUNT DRIVER (netdevice, or vfio-pci). SYSFS names another /sys, for tests.
set -eu

sysfs=${SYSFS:-/sys}

say() { echo "$(hostname): $1" >&2; }

wait_for() { # path: a NIC's driver may still be loading
    tries=0
    while [ ! -e "$1" ] && [ "$tries" -lt "${TRIES:-30}" ]; do
        tries=$((tries + 1))
        sleep 1
    done
    [ -e "$1" ]
}

bind() { # PCI address, driver: the function in that driver's hands
    device=$sysfs/bus/pci/devices/$1
    if [ "$2" = netdevice ]; then
        printf '\n' >"$device/driver_override"
    else
        [ -d "$sysfs/bus/pci/drivers/$2" ] || modprobe "$2"
        printf '%s\n' "$2" >"$device/driver_override"
    fi
    if [ -e "$device/driver" ]; then printf '%s\n' "$1" >"$device/driver/unbind"; fi
    printf '%s\n' "$1" >"$sysfs/bus/pci/drivers_probe"
}

in_pods() { # device: how many of its functions are in the network namespace of a pod, where this /sys does not show their names
    count=0
    for function in "$1"/virtfn*; do
        if [ -d "$function/net" ] && [ -z "$(ls "$function/net")" ]; then count=$((count + 1)); fi
    done
    echo "$count"
}

apply() { # pf count driver
    device=$sysfs/class/net/$1/device
    if ! wait_for "$device/sriov_totalvfs"; then
        say "$1 has no SR-IOV; see that it is there, that its firmware and the BIOS have it on, and intel_iommu=on or amd_iommu=on"
        return 1
    fi
    most=$(cat "$device/sriov_totalvfs")
    if [ "$2" -gt "$most" ]; then
        say "$1 has $most virtual functions at most, and $2 are asked for"
        return 1
    fi
    # While the physical function is down, its functions have no carrier.
    if ! ip link set dev "$1" up; then
        say "$1 cannot be set up; look with: ip link show $1"
        return 1
    fi
    if [ "$(cat "$device/sriov_numvfs")" != "$2" ]; then
        used=$(in_pods "$device")
        if [ "$used" != 0 ]; then
            say "$1 has $(cat "$device/sriov_numvfs") virtual functions, $2 are asked for, and pods use $used: changing the number would take theirs away. Drain the node, then run pulumi up again: kubectl drain $(hostname) --ignore-daemonsets --delete-emptydir-data"
            return 1
        fi
        # A number other than 0 is only changed by way of 0, which takes the functions from whoever has them.
        [ "$(cat "$device/sriov_numvfs")" = 0 ] || printf '0\n' >"$device/sriov_numvfs"
        printf '%s\n' "$2" >"$device/sriov_numvfs"
    fi
    made=0
    for function in "$device"/virtfn*; do
        [ -e "$function" ] || continue
        made=$((made + 1))
        address=$(basename "$(readlink "$function")")
        driver=''
        [ ! -e "$function/driver" ] || driver=$(basename "$(readlink "$function/driver")")
        case $3 in
            netdevice) if [ "$driver" = vfio-pci ]; then bind "$address" netdevice; fi ;;
            *) if [ "$driver" != "$3" ]; then bind "$address" "$3"; fi ;;
        esac
    done
    if [ "$made" != "$2" ]; then
        say "$1 shows $made virtual functions, $2 were asked for; look with: dmesg | grep -i sr-iov"
        return 1
    fi
}

failed=0
while read -r pf count driver; do
    [ -n "$pf" ] || continue
    case $1 in
        apply) apply "$pf" "$count" "$driver" || failed=1 ;;
        remove) if [ -e "$sysfs/class/net/$pf/device/sriov_numvfs" ]; then printf '0\n' >"$sysfs/class/net/$pf/device/sriov_numvfs"; fi ;;
    esac
done
exit "$failed"
