# Base images of the disks of virtual machines. Part of libvirt.sh.
# shellcheck disable=SC2154 # libvirt.sh sets them
image() { # the image that disks stand on, kept once for all machines; no other run fetches or drops one meanwhile
    exec 9<"$STORAGE"
    flock 9
    base=$root/images/$IMAGE_SHA256
    mkdir -p "$root/images"
    # libvirt's own user reads the disks.
    chmod 711 "$root" "$root/images" "$folder"
    echo "$IMAGE_SHA256" >"$folder/image"
    if [ ! -e "$base" ]; then
        if [ -n "$IMAGE_URL" ]; then
            curl -fsSL --retry 3 --retry-connrefused --max-time 1800 -o "$base.new" "$IMAGE_URL" || {
                say "the image cannot be fetched from $IMAGE_URL"
                exit 1
            }
        else
            cp --sparse=always "$IMAGE_PATH" "$base.new"
        fi
        found=$(sha256sum "$base.new" | cut -d ' ' -f 1)
        [ "$found" = "$IMAGE_SHA256" ] || {
            rm -f "$base.new"
            say "the image ${IMAGE_URL:-$IMAGE_PATH} has sha256 $found, and $IMAGE_SHA256 is pinned; nothing was made of it"
            exit 1
        }
        chmod 644 "$base.new"
        sync "$base.new"
        mv "$base.new" "$base"
    fi
    exec 9<&-
}

drop_images() { # that no machine stands on
    [ -d "$root" ] || return 0
    exec 9<"$STORAGE"
    flock 9
    for base in "$root"/images/*; do
        [ -e "$base" ] || continue
        grep -qsx "$(basename "$base" .new)" "$root"/*/image || rm -f "$base"
    done
    rmdir "$root/images" "$root" 2>/dev/null || true
    exec 9<&-
}
