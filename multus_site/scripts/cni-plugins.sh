# Installs CNI plugin binaries in /opt/cni/bin, or removes those that it installed.
# Argument: install | remove. Variables: PLUGINS, one line per plugin: NAME PIN SOURCE [MEMBER].
#   SOURCE is a URL: PIN is the sha256 of the file; with MEMBER the file is an archive, and the plugin is that member.
#   SOURCE is `delivered`: the store already has the binary with the sha256 PIN.
#   SOURCE is `calico`: Calico installs the plugin and renews it whenever its pod starts; it only has to answer.
# Prints one line of JSON: plugin → {sha256, versions}, or {owner, versions} for Calico's.
set -eu

bin=/opt/cni/bin
# The last step is a rename: a binary in use is never overwritten, and a half-written one never runs. This is in the folder of
# the plugins, which may be a file system of its own: a rename from elsewhere would be a copy.
new=$bin/.multus-site-new
# Binaries by sha256: those in use, and their predecessors for one step back.
store=/opt/cni/.multus-site
state=/var/lib/multus-site
manifest=$state/cni-plugins # a line a plugin: NAME OURS SHA256 PIN SHA256-BEFORE PIN-BEFORE; OURS is yes or no, - is none

fail() {
    echo "$(cat /proc/sys/kernel/hostname): $1" >&2
    exit 1
}

# With many nodes on one machine, or many plugins on a node, processes dominate the time: this starts as few as possible.
sha() { # file: sets $sum
    sum=$(sha256sum "$1")
    sum=${sum%% *}
}

recorded() { # plugin: sets what the manifest says of it; empty where it says nothing
    was_ours='' was='' was_pin='' before='' before_pin=''
    [ -e "$manifest" ] || return 0
    while read -r listed its now now_pin earlier earlier_pin; do
        if [ "$listed" = "$1" ]; then
            was_ours=$its was=$now was_pin=$now_pin before=$earlier before_pin=$earlier_pin
        fi
    done <"$manifest"
}

held() { # sha256: whether the store has it, whole
    [ -f "$store/$1" ] || return 1
    sha "$store/$1"
    [ "$sum" = "$1" ]
}

one_at_a_time() { # a run whose pulumi was killed may still be at work
    [ -d "$state" ] || mkdir -p "$state"
    exec 9>"$state/cni-plugins.lock"
    flock -w 300 9 || fail "another run has been putting CNI plugins here for 5 minutes; wait for it, then run pulumi up again"
}

fetch() { # url sha256 file
    tries=0
    until curl -fsSL --connect-timeout 10 --max-time 300 -o "$3" "$1" 2>"$work/curl.log"; do
        tries=$((tries + 1))
        # 22: the server answered with an error; another attempt would not help.
        if [ "$tries" -ge 5 ] || grep -q '^curl: (22)' "$work/curl.log"; then
            fail "$1 cannot be fetched: $(tail -n 1 "$work/curl.log")"
        fi
        sleep 2
    done
    sha "$3"
    [ "$sum" = "$2" ] ||
        fail "$1 has sha256 $sum, pinned is $2; nothing was installed. If the change is meant, pin the new one."
}

obtain() { # plugin pin source member, what is recorded of it being set: sets $binary to the sha256 of a binary in the store
    binary=$was
    [ "$was_pin" = "$2" ] && held "$binary" && return
    binary=$before
    [ "$before_pin" = "$2" ] && held "$binary" && return
    if [ "$3" = delivered ]; then
        held "$2" || fail "$1 ($2) is not in $store, where it was delivered to; send it again: pulumi up"
        binary=$2
        return
    fi
    # An archive with several plugins is downloaded once; a plugin with a second name is already in the store.
    if [ -z "$4" ] && held "$2"; then
        binary=$2
        return
    fi
    [ -e "$work/$2" ] || fetch "$3" "$2" "$work/$2"
    file=$work/$2
    if [ -n "$4" ]; then
        file=$work/binary
        tar -xOf "$work/$2" "./$4" >"$work/binary" 2>/dev/null || tar -xOf "$work/$2" "$4" >"$work/binary" 2>/dev/null ||
            fail "$3 has no member $4; nothing was installed. Its members: $(tar -tf "$work/$2" | head -n 30 | tr '\n' ' ')"
        sha "$file"
        binary=$sum
    else
        binary=$2 # what was fetched is the plugin, and its sum was looked at
    fi
    chmod 0755 "$file"
    mv -f "$file" "$store/$binary"
}

answer() { # file: sets $versions to the CNI versions that it says it supports, as a JSON list
    versions=$(printf '{"cniVersion":"1.0.0"}' | CNI_COMMAND=VERSION timeout 10 "$1" 2>&1) || return 1
    # shellcheck disable=SC2086 # words, split on purpose: put together again, they have no spaces between them
    versions=$(set -f && set -- $versions && IFS='' && printf '%s' "$*")
    case $versions in
        *'"supportedVersions":['*']'*) ;;
        *) versions='' && return 1 ;;
    esac
    versions=${versions#*'"supportedVersions":'}
    versions=${versions%%]*}]
}

await_answer() { # plugin: Calico's pod may be about to put it there
    tries=0
    until [ -x "$bin/$1" ] && answer "$bin/$1"; do
        tries=$((tries + 1))
        [ "$tries" -lt 30 ] || fail "$bin/$1, which is Calico's, does not answer CNI VERSION: ${versions:-it is not there}"
        sleep 2
    done
}

plan() { # all that can fail comes before the first change: fetched, checked, and asked for its versions
    : >"$work/manifest"
    result='' changed='' # changed: a line a plugin: NAME SHA256
    while read -r name pin source member; do
        [ -n "$name" ] || continue
        if [ "$source" = calico ]; then
            await_answer "$name"
            result="$result${result:+, }\"$name\": {\"owner\": \"calico\", \"versions\": $versions}"
            continue
        fi
        recorded "$name"
        obtain "$name" "$pin" "$source" "$member"
        if same "$bin/$name" "$binary"; then
            chown root:root "$bin/$name"
            chmod 0755 "$bin/$name"
            answer "$bin/$name" || fail "$bin/$name, which has the right sha256, does not answer CNI VERSION: $versions"
        else
            # Under its own name: some binaries contain several plugins.
            ln -sf "$store/$binary" "$work/$name"
            answer "$work/$name" || fail "$name ($binary) does not answer CNI VERSION, so it was not installed: $versions"
            changed="$changed$name $binary
"
        fi
        result="$result${result:+, }\"$name\": {\"sha256\": \"$binary\", \"versions\": $versions}"

        # Files of the distribution are replaced, but never removed later.
        [ -e "$bin/$name" ] || was_ours=yes
        if [ "$was" != "$binary" ]; then
            before=$was before_pin=$was_pin
        fi
        echo "$name ${was_ours:-no} $binary $pin ${before:--} ${before_pin:--}" >>"$work/manifest"
    done <<LIST
$PLUGINS
LIST
}

install_plugins() {
    [ -d "$bin" ] || mkdir -p "$bin"
    [ -d "$store" ] || mkdir -m 0755 "$store"
    case ,$(findmnt -no OPTIONS -T "$bin"), in
        *,noexec,*) fail "$bin is on a file system mounted noexec; mount it with exec" ;;
    esac
    for left in "$store"/new-*; do [ ! -e "$left" ] || rm -rf "$left"; done
    work=$(mktemp -d "$store/new-XXXXXX")
    trap 'rm -rf "$work" "$new"' EXIT
    plan
    drop_others
    # Before the first rename: after a kill in between, the next run must know that these files are its own.
    if ! cmp -s "$work/manifest" "$manifest"; then
        cp "$work/manifest" "$manifest.new"
        sync "$manifest.new"
        mv -f "$manifest.new" "$manifest"
    fi
    while read -r name binary; do
        [ -n "$name" ] || continue
        put "$name" "$binary"
        answer "$bin/$name" || fail "$bin/$name does not answer CNI VERSION any more: $versions"
    done <<LIST
$changed
LIST
    [ -z "$changed" ] || sync "$bin"
    forget_others
    printf '{%s}\n' "$result"
}

put() { # plugin sha256
    # A copy: writing into the file in $bin must not change the stored one.
    install -o root -g root -m 0755 "$store/$2" "$new" || fail "$1 was not installed in $bin; what was there stays"
    # With the SELinux label of its destination, before it is there: SELinux would refuse to run it with that of its origin.
    if command -v selinuxenabled >/dev/null && selinuxenabled; then chcon "$(matchpathcon -n "$bin/$1")" "$new"; fi
    sync "$new" "$store/$2"
    mv -fT "$new" "$bin/$1"
    same "$bin/$1" "$2" || fail "$bin/$1 was changed by somebody else while it was installed"
}

same() { # file sha256: whether it is the store's binary of this sum, which was looked at in this run: cheaper than another sum
    cmp -s "$store/$2" "$1"
}

has() { # file sha256
    [ -e "$1" ] || return 1
    sha "$1"
    [ "$sum" = "$2" ]
}

drop_others() { # ours, and no longer asked for
    [ -s "$manifest" ] || return 0
    while read -r name ours kept _; do
        case "
$PLUGINS" in
            *"
$name "*) ;;
            *) remove_unchanged "$name" "$ours" "$kept" ;;
        esac
    done <"$manifest"
}

forget_others() { # what is neither in use nor the one before
    kept=' '
    while read -r _ _ now _ earlier _; do kept="$kept$now $earlier "; done <"$manifest"
    for file in "$store"/*; do
        case $kept in
            *" ${file##*/} "*) ;;
            *) [ "$file" = "$work" ] || rm -f "$file" ;;
        esac
    done
}

remove_unchanged() { # plugin ours sha256; changed since means somebody else's by now
    if [ "$2" = yes ] && has "$bin/$1" "$3"; then rm -f "$bin/$1"; fi
}

remove_plugins() {
    if [ -s "$manifest" ]; then
        while read -r name ours kept _; do remove_unchanged "$name" "$ours" "$kept"; done <"$manifest"
    fi
    rm -rf "$store"
    rm -f "$new" "$manifest" "$state/cni-plugins.lock"
    rmdir "$state" 2>/dev/null || true
    # Files that the Multus daemon leaves behind: a configuration without a daemon stops every pod of the node.
    # While the daemon runs (it is being replaced, not removed), the files are its own.
    if pgrep -x multus-daemon >/dev/null; then return; fi
    rm -f /etc/cni/net.d/00-multus.conf /etc/cni/net.d/00-multus.conflist "$bin/multus-shim"
    rm -rf /etc/cni/net.d/multus.d /etc/cni/multus /var/lib/cni/multus
}

one_at_a_time
case $1 in
    install) install_plugins ;;
    remove) remove_plugins ;;
esac
