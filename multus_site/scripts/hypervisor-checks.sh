# What a hypervisor lacks for a virtual machine. Part of libvirt.sh.
# shellcheck disable=SC2154 # libvirt.sh sets them
check() { # all that this hypervisor lacks, at once
    findings=''
    finding() { findings="${findings}$NODE: hypervisor $(hostname): $1
"; }
    carries() { # what a NIC is plugged into, its MTU, all that need it
        has=$(cat "/sys/class/net/$1/mtu")
        [ "$has" -ge "$2" ] || finding "$1 has an MTU of $has, and $2 is to go through; give it to $3: ip link set $1 mtu $2, or write mtu: $has"
    }
    for program in qemu-img flock base64; do
        command -v "$program" >/dev/null || finding "there is no $program; type: apt-get install qemu-utils util-linux coreutils"
    done
    [ -z "$IMAGE_URL" ] || command -v curl >/dev/null || finding 'there is no curl to fetch the image with; type: apt-get install curl'
    if ! command -v virsh >/dev/null; then
        finding 'there is no virsh; type: apt-get install libvirt-daemon-system libvirt-clients qemu-system-x86'
    elif ! said=$(libvirt version 2>&1); then
        finding "libvirt does not answer ($(echo "$said" | tail -n 1)); type: systemctl enable --now libvirtd"
    elif ! libvirt domcapabilities --virttype "$VIRT" >/dev/null 2>&1; then
        if [ "$VIRT" = kvm ]; then
            finding 'it has no KVM; turn on virtualization in its BIOS and type: modprobe kvm-intel (or kvm-amd), or write accelerator: tcg'
        else
            finding 'libvirt has no QEMU for x86_64; type: apt-get install qemu-system-x86'
        fi
    fi
    [ -d "$STORAGE" ] || finding "there is no folder $STORAGE; make it, or name another as storage"
    [ -z "$IMAGE_PATH" ] || [ -e "$folder/made" ] || [ -r "$IMAGE_PATH" ] || finding "there is no file $IMAGE_PATH; put the image there"
    while read -r kind what mtu; do
        case $kind in
            bridge)
                if [ ! -d "/sys/class/net/$what/bridge" ]; then
                    finding "there is no bridge $what; make it, such as: ip link add $what type bridge"
                else
                    carries "$what" "$mtu" "$what, and the NICs in it"
                fi
                ;;
            macvtap)
                if [ ! -d "/sys/class/net/$what" ]; then
                    finding "there is no NIC $what; plug it in, or name one of: ip -brief link"
                else
                    carries "$what" "$mtu" "$what"
                fi
                ;;
            vf)
                if [ ! -e "/sys/bus/pci/devices/$what/physfn" ]; then
                    finding "$what is no virtual function of an SR-IOV NIC; make some: echo COUNT >/sys/class/net/NIC/device/sriov_numvfs"
                elif [ ! -e "/sys/bus/pci/devices/$what/iommu_group" ]; then
                    finding "$what is in no IOMMU group; turn on VT-d or AMD-Vi in the BIOS, and boot with intel_iommu=on"
                fi
                ;;
        esac
    done <<NICS
$NICS
NICS
    if [ -n "$findings" ]; then
        printf '%s' "$findings" >&2
        exit 1
    fi
}
