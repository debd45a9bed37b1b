# Functions that find NICs: resolves `mac …`, `pci …` or `altname …` of a network on this node. Other scripts include them;
# multus_site/cni/uplinks.py finds the same NIC in the facts of a host.
# Names are printed by printf: to echo, `-n` and `\c` mean something, and a bridge network can give an interface of the host any name.

nic_names() { # interfaces but the loopback and what the cluster's own network makes for each pod
    for path in /sys/class/net/*; do
        case ${path##*/} in lo | cali* | lxc* | veth*) continue ;; esac
        # bonding_masters is a file of the bonding driver, not an interface.
        [ ! -d "$path" ] || printf '%s\n' "${path##*/}"
    done
}

mac_of() { cat "/sys/class/net/$1/address" 2>/dev/null || true; }

device_of() { # name: its device's path in sysfs; nothing where it is no device
    [ ! -e "/sys/class/net/$1/device" ] || readlink -f "/sys/class/net/$1/device"
}

pci_of() { # name: its PCI function; a virtio NIC's device lies below it
    device_of "$1" | grep -oE '[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]' | tail -n 1
}

above_of() { # name: the bond, bridge or VRF that it is part of
    above=$(readlink "/sys/class/net/$1/master" 2>/dev/null) || above=''
    printf '%s' "${above##*/}"
}

below_of() { # name: the interfaces that it is made of or lies on
    for path in "/sys/class/net/$1"/lower_*; do
        [ ! -e "$path" ] || printf '%s\n' "${path##*/lower_}"
    done
}

altnames_of() { ip link show dev "$1" 2>/dev/null | awk '$1 == "altname" { print $2 }'; }

# Members of a bond have its MAC address, and a VLAN has that of its parent: the MAC address means the bond, or the parent.
has_mac() { # name MAC: whether that one is meant
    [ "$(mac_of "$1")" = "$2" ] || return 1
    above=$(above_of "$1")
    [ -z "$above" ] || [ "$(mac_of "$above")" != "$2" ] || return 1
    ! is_carried "$1" "$2"
}

is_carried() ( # name MAC: whether it, or a member of it, lies on another interface with that MAC
    for below in $(below_of "$1"); do
        [ "$(mac_of "$below")" = "$2" ] || continue
        [ "$(above_of "$below")" = "$1" ] || return 0
        ! is_carried "$below" "$2" || return 0
    done
    return 1
)

nic_by() { # mac, pci or altname; its value: the NIC's name, nothing where there is none
    nic_names | while read -r name; do
        case $1 in
            mac) has_mac "$name" "$2" ;;
            pci) [ "$(pci_of "$name")" = "$2" ] ;;
            altname) altnames_of "$name" | grep -qxF -- "$2" ;;
        esac && printf '%s\n' "$name"
    done | head -n 1
}
