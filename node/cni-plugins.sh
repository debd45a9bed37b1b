# Puts CNI plugin binaries into /opt/cni/bin, or takes away what it put there.
# Argument: install | remove. Variables: PLUGINS, a line a plugin: NAME SHA256 URL [MEMBER]; with MEMBER the sha256 is the
# archive's and the plugin is that member of it. Prints one line of JSON: plugin → {sha256, versions}.
set -eu

bin=/opt/cni/bin
state=/var/lib/multus-site
manifest=$state/cni-plugins # a line a plugin that is ours: NAME SHA256

sha() { sha256sum "$1" | cut -d ' ' -f 1; }

fetch() { # url sha256 file
    tries=0
    until curl -fsSL --connect-timeout 10 --max-time 300 -o "$3" "$1" 2>"$work/curl.log"; do
        tries=$((tries + 1))
        # 22: the server answered, and said no; asking again helps nobody.
        if [ "$tries" -ge 5 ] || grep -q '^curl: (22)' "$work/curl.log"; then
            echo "$(hostname): $1 cannot be fetched: $(tail -n 1 "$work/curl.log")" >&2
            exit 1
        fi
        sleep 2
    done
    found=$(sha "$3")
    if [ "$found" != "$2" ]; then
        echo "$(hostname): $1 has sha256 $found, pinned is $2; nothing was installed. If the change is meant, pin the new one." >&2
        exit 1
    fi
}

owned() { grep -q "^$1 " "$manifest" 2>/dev/null; }

answer() { # plugin file: the CNI versions that it says it supports, as a JSON list
    printf '{"cniVersion":"1.0.0"}' | CNI_COMMAND=VERSION timeout 10 "$1" 2>&1
}

install_plugins() {
    mkdir -p "$bin" "$state"
    findmnt -no OPTIONS -T "$bin" | tr , '\n' | grep -qx noexec && {
        echo "$(hostname): $bin is on a file system mounted noexec; mount it with exec" >&2
        exit 1
    }
    # On the same file system as the target, so that the last step is one rename: a binary in use is never written over.
    work=$(mktemp -d /opt/cni/.multus-site-XXXXXX)
    trap 'rm -rf "$work"' EXIT
    result=''
    while read -r name sum url member; do
        [ -n "$name" ] || continue
        fetched=$work/$(printf '%s' "$sum" | cut -c 1-16)
        [ -e "$fetched" ] || fetch "$url" "$sum" "$fetched"
        binary=$work/$name
        if [ -n "$member" ]; then
            tar -xOf "$fetched" "./$member" >"$binary" 2>/dev/null || tar -xOf "$fetched" "$member" >"$binary"
        else
            cp "$fetched" "$binary"
        fi
        new=$(sha "$binary")
        if ! [ -e "$bin/$name" ] || [ "$(sha "$bin/$name")" != "$new" ]; then
            # What the distribution brought is replaced but not ours to remove later.
            if ! [ -e "$bin/$name" ] || owned "$name"; then ours=yes; else ours=no; fi
            chown root:root "$binary"
            chmod 0755 "$binary"
            sync "$binary"
            mv -fT "$binary" "$bin/$name"
            if command -v restorecon >/dev/null; then restorecon "$bin/$name"; fi
        elif owned "$name"; then
            ours=yes
        else
            ours=no
        fi
        { grep -v "^$name " "$manifest" 2>/dev/null || true; } >"$work/manifest"
        [ "$ours" = no ] || printf '%s %s\n' "$name" "$new" >>"$work/manifest"
        cp "$work/manifest" "$manifest.new" && mv -f "$manifest.new" "$manifest"

        [ "$(sha "$bin/$name")" = "$new" ] || { echo "$(hostname): $bin/$name changed while it was installed" >&2; exit 1; }
        versions=$(answer "$bin/$name") || { echo "$(hostname): $bin/$name does not answer CNI VERSION: $versions" >&2; exit 1; }
        versions=$(printf '%s' "$versions" | tr -d ' \n' | sed -n 's/.*"supportedVersions":\(\[[^]]*\]\).*/\1/p')
        result="$result${result:+, }\"$name\": {\"sha256\": \"$new\", \"versions\": ${versions:-[]}}"
    done <<LIST
$PLUGINS
LIST
    drop_others
    printf '{%s}\n' "$result"
}

drop_others() { # ours, and no longer asked for
    [ -s "$manifest" ] || return 0
    : >"$work/manifest"
    while read -r name sum; do
        if printf '%s\n' "$PLUGINS" | grep -q "^$name "; then
            printf '%s %s\n' "$name" "$sum" >>"$work/manifest"
        else
            remove_unchanged "$name" "$sum"
        fi
    done <"$manifest"
    cp "$work/manifest" "$manifest.new" && mv -f "$manifest.new" "$manifest"
}

remove_unchanged() { # plugin sha256; changed since means somebody else's by now
    if [ -e "$bin/$1" ] && [ "$(sha "$bin/$1")" = "$2" ]; then rm -f "$bin/$1"; fi
}

remove_plugins() {
    if [ -s "$manifest" ]; then
        while read -r name sum; do remove_unchanged "$name" "$sum"; done <"$manifest"
    fi
    # What the Multus daemon leaves behind when it goes: a configuration without a daemon stops every pod of the node.
    # While it runs (this is a replacement, not a farewell) the files are its own.
    rm -f "$manifest"
    rmdir "$state" 2>/dev/null || true
    if pgrep -x multus-daemon >/dev/null; then return; fi
    rm -f /etc/cni/net.d/00-multus.conf /etc/cni/net.d/00-multus.conflist "$bin/multus-shim"
    rm -rf /etc/cni/net.d/multus.d /etc/cni/multus /var/lib/cni/multus
}

case $1 in
    install) install_plugins ;;
    remove) remove_plugins ;;
esac
