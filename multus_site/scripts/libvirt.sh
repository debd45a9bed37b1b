# Creates, changes or removes a virtual machine; runs on its hypervisor, as root. Argument: make | change | remove.
# Variables: NAME (of the domain), SITE, NODE, HOST_KEY_PUBLIC (the machine's), STORAGE (folder of disks), IMAGE_URL or IMAGE_PATH,
# IMAGE_SHA256, DISK (GiB), DOMAIN (its XML without UUID), SEED (cloud-init's disk: lines SECTOR BASE64), SEED_SECTORS (its size,
# 2 KiB each), NICS (lines KIND WHAT MTU: bridge, macvtap, vf), VIRT (kvm | qemu), PAGES (huge pages: KIB COUNT, and the NUMA node if
# they must be of one; may be empty), CONSOLE (log file), READY (the last word of each boot), BOOT_SECONDS.
# Prints the domain's UUID and a checksum of all its inputs.
set -eu
# States and sizes are parsed from the output of programs.
export LC_ALL=C

root=$STORAGE/multus-site
folder=$root/$NAME
owner="$SITE $NODE $HOST_KEY_PUBLIC"
libvirt() { virsh --connect qemu:///system --quiet "$@"; }
storage_full="QEMU pauses a machine whose disk cannot be written to: virsh domblkerror $NAME says which, df $STORAGE how much room there is; make some, and type: virsh resume $NAME"
say() { echo "$NODE: $1" >&2; }

# include: hypervisor-checks

defined() { libvirt domuuid "$NAME" >/dev/null 2>&1; }
state() { libvirt domstate "$NAME" 2>/dev/null || echo gone; }

off() { case $(state) in 'shut off' | gone) ;; *) return 1 ;; esac }

pages() { # huge pages that are free or the machine's own, in the size and number that it needs
    [ -n "$PAGES" ] || return 0
    read -r kib needed numa <<PAGES
$PAGES
PAGES
    pool=/sys/kernel/mm/hugepages where=''
    [ -z "$numa" ] || pool=/sys/devices/system/node/node$numa/hugepages where=" on NUMA node $numa"
    pool=$pool/hugepages-${kib}kB
    free=$(cat "$pool/free_hugepages" 2>/dev/null || echo 0)
    if [ -s "$folder/pages" ] && ! off; then
        read -r its_kib held its_numa <"$folder/pages"
        # Stopping it frees what it holds; without a NUMA node of its own, it is unknown where.
        [ "$its_kib" != "$kib" ] || [ "${numa:-$its_numa}" != "$its_numa" ] || free=$((free + held))
    fi
    [ "$free" -ge "$needed" ] || {
        say "hypervisor $(hostname): $free huge pages of $kib KiB are free$where or its own, and it needs $needed; reserve more: echo COUNT >$pool/nr_hugepages, or at its boot: hugepagesz=${kib}K hugepages=COUNT"
        exit 1
    }
}

refuse_another() { # which of the words of its owner have to agree, what to do about it; another stack's machine may have the same name
    if [ -e "$folder/owner" ] && ! cut -d ' ' -f "$1" "$folder/owner" | grep -qxF "$(echo "$owner" | cut -d ' ' -f "$1")"; then
        read -r its_site its_node _ <"$folder/owner"
        say "hypervisor $(hostname): the machine $NAME is node $its_node of site $its_site, made by another stack, and stays as it is; $2"
        exit 1
    elif defined && { [ ! -e "$folder/owner" ] || ! libvirt dumpxml "$NAME" | grep -qF "$folder/disk.qcow2"; }; then
        say "hypervisor $(hostname): a machine $NAME is there that is not of this site; $2"
        exit 1
    fi
}

claim() { # which of the words of its owner have to agree: the name is this stack's from here on
    instead="rename one of them, or, if nobody needs it: virsh destroy $NAME; virsh undefine $NAME; rm -rf $folder"
    refuse_another "$1" "$instead"
    mkdir -p "$folder"
    echo "$owner" >"$folder/owner.$$"
    # If two runs ask at once, one creates the link.
    ln "$folder/owner.$$" "$folder/owner" 2>/dev/null || true
    rm "$folder/owner.$$"
    refuse_another "$1" "$instead"
    # With another seed of host keys it still belongs to the stack; a stack whose update failed has recorded the old seed.
    grep -qxF "$owner" "$folder/owner" || echo "$owner" >>"$folder/owner"
}

# include: machine-images

size() { # file: bytes that the machine sees of it
    qemu-img info --force-share "$1" | sed -n 's/^virtual size: .*(\([0-9]*\) bytes)$/\1/p'
}

seed() { # file
    rm -f "$1"
    truncate -s $((SEED_SECTORS * 2048)) "$1"
    printf '%s\n' "$SEED" | while read -r sector data; do
        printf '%s' "$data" | base64 -d | dd of="$1" bs=2048 seek="$sector" conv=notrunc status=none
    done
}

define() { # uuid
    printf '%s\n' "$DOMAIN" | sed "s|^  <name>.*|&<uuid>$1</uuid>|" >"$folder/domain.xml"
    libvirt define "$folder/domain.xml" >/dev/null
    libvirt autostart "$NAME" >/dev/null
}

start() { # and wait until it says that it is ready
    pages
    echo "$PAGES" >"$folder/pages"
    mkdir -p "${CONSOLE%/*}"
    : >"$CONSOLE"
    libvirt start "$NAME" >/dev/null
    waited=0
    until grep -qaF "$READY" "$CONSOLE"; do
        now=$(state)
        if [ "$now" != running ] || [ "$waited" -ge "$BOOT_SECONDS" ]; then
            {
                [ "$now" != paused ] || say "$storage_full"
                say "it is $now, and was not ready $waited s after its start; the end of its console, all of which is in $(hostname):$CONSOLE"
                tail -n 40 "$CONSOLE" | tr -cd '[:print:]\n' | cut -c 1-200
                [ -s "$CONSOLE" ] || echo '(nothing: is it an image for BIOS, with cloud-init and a console on ttyS0?)'
            } >&2
            exit 1
        fi
        sleep 1
        waited=$((waited + 1))
    done
}

stop() {
    # A paused machine does not react to a shutdown and has unwritten data. It stays paused while there is no space to write to.
    [ "$(state)" != paused ] || libvirt resume "$NAME" >/dev/null || true
    waited=0
    [ "$(state)" != running ] || libvirt shutdown "$NAME" >/dev/null
    while case $(state) in running | 'in shutdown') [ "$waited" -lt 120 ] ;; *) false ;; esac do
        sleep 1
        waited=$((waited + 1))
    done
    # It may stop in between.
    off || libvirt destroy "$NAME" >/dev/null || off
}

run() { # what is defined as it was asked for
    case $(state) in
        running) return 0 ;;
        paused)
            libvirt resume "$NAME" >/dev/null || true
            # QEMU repeats the writes that failed.
            sleep 2
            [ "$(state)" = paused ] || return 0
            say "hypervisor $(hostname): it is paused, and is again when it is resumed; $storage_full"
            exit 1
            ;;
    esac
    stop
    start
}

undefine() {
    defined || return 0
    libvirt destroy "$NAME" >/dev/null 2>&1 || true
    libvirt undefine "$NAME" --managed-save --snapshots-metadata >/dev/null
}

forget() { # the machine, whatever there is of it; its console's log stays
    undefine
    rm -rf "$folder"
}

make() { # anew; what a killed run left is not taken up
    # What did not become a machine would have no owner: the stack does not know it.
    trap 'forget; drop_images' EXIT
    undefine
    pages
    image
    # shellcheck disable=SC2154 # image set it
    form=$(qemu-img info "$base" | sed -n 's/^file format: //p')
    [ "$(size "$base")" -le "$bytes" ] || {
        say "disk: $DISK GiB are less than the image's $(size "$base") bytes; give it more"
        exit 1
    }
    qemu-img create -q -f qcow2 -b "$base" -F "$form" "$folder/disk.qcow2" "${DISK}G"
    seed "$folder/seed.iso"
    define "$(cat /proc/sys/kernel/random/uuid)"
    start
    trap - EXIT
}

change() { # in place; machines of a hypervisor one after another, so that not all are away at once
    there=$(size "$folder/disk.qcow2")
    [ "$there" -le "$bytes" ] || {
        say "disk: it has $((there / 1073741824)) GiB and cannot shrink to $DISK; give it as many again, or make the machine anew: pulumi up --replace URN (pulumi stack --show-urns)"
        exit 1
    }
    exec 8<"$root"
    flock 8
    pages
    # From here on it matches neither the old nor the new definition: any next request is a change again.
    record changing
    stop
    seed "$folder/seed.new"
    mv "$folder/seed.new" "$folder/seed.iso"
    define "$(libvirt domuuid "$NAME" 2>/dev/null || cat /proc/sys/kernel/random/uuid)"
    [ "$there" = "$bytes" ] || qemu-img resize -q "$folder/disk.qcow2" "${DISK}G"
    start
}

record() { # what the machine is made of; a run that is killed meanwhile leaves the one or the other
    echo "$1" >"$folder/made.new"
    mv "$folder/made.new" "$folder/made"
}

apply() { # make | change
    check
    umask 077
    bytes=$((DISK * 1073741824))
    wanted=$(printf '%s\n' "$DOMAIN" "$SEED" "$DISK" | sha256sum | cut -c 1-12)
    if [ "$1" = make ]; then
        claim 1-
    elif [ -e "$folder/disk.qcow2" ]; then
        # The stack has a machine of this name, and may have another host key for it.
        claim 1-2
    else
        say "hypervisor $(hostname): the disk $folder/disk.qcow2 is gone, though nothing of this site removed it. To make the machine anew: pulumi up --replace '**$NAME-machine'"
        exit 1
    fi
    # The record is written last, so that a killed run is noticed.
    made=$(cat "$folder/made" 2>/dev/null || true)
    if [ "$1" = make ] && [ -z "$made" ]; then
        make
    elif [ "$made" != "$wanted" ] || ! defined; then
        change
    else
        run
    fi
    record "$wanted"
    echo "$(libvirt domuuid "$NAME") $wanted"
}

trap 'exit 1' HUP INT TERM
case $1 in
    make | change) apply "$1" ;;
    remove)
        refuse_another 1- "if this stack's own is gone, type: pulumi state delete URN (pulumi stack --show-urns)"
        forget
        drop_images
        rm -f "$CONSOLE" "$CONSOLE".[0-9]*
        ;;
esac
