# Puts programs on a node: downloads what is not there yet, all at once, checks sha256, installs by rename.
# In: FILES (lines: name sha256 url), BIN_DIR, CNI_OWNER. Out: the names of what was installed anew.
set -eu
state=/var/lib/kubespray-standin
mkdir -p "$state" "$BIN_DIR" /opt/cni/bin /etc/cni/net.d
cd "$state"

download() {
    curl -fsS --retry 3 --connect-timeout 10 --max-time 900 -o "$1.new" "$3" || {
        echo "$1: $3 could not be downloaded to this node" >&2
        return 1
    }
    found=$(sha256sum "$1.new" | cut -d' ' -f1)
    [ "$found" = "$2" ] || {
        echo "$1: $3 has sha256 $found, the site's variables say $2" >&2
        return 1
    }
    mv "$1.new" "$1"
}

install_one() {
    case $1 in
    cni.tgz) ;; # below: it is compared with what is there at every run
    containerd.tgz) tar xzf "$1" -C "$BIN_DIR" --strip-components=1 --no-same-owner ;;
    etcd.tgz) tar xzf "$1" -C "$BIN_DIR" --strip-components=1 --no-same-owner --wildcards '*/etcd' '*/etcdctl' '*/etcdutl' ;;
    crictl.tgz) tar xzf "$1" -C "$BIN_DIR" --no-same-owner crictl ;;
    *) install -m 0755 "$1" "$BIN_DIR/.$1.new" && mv "$BIN_DIR/.$1.new" "$BIN_DIR/$1" ;;
    esac
}

printf '%s\n' "$FILES" | sed '/^[[:space:]]*$/d' >wanted
: >running
while read -r name sha256 url; do
    if [ "$(cat "$name.installed" 2>/dev/null)" != "$sha256" ]; then
        rm -f "$name.installed"
        download "$name" "$sha256" "$url" &
        echo "$! $name $sha256" >>running
    fi
done <wanted
while read -r pid name sha256; do
    wait "$pid"
    install_one "$name"
    [ "$name" = cni.tgz ] || rm -f "$name"
    echo "$sha256" >"$name.installed"
    echo "$name"
done <running

# Kubespray unpacks its CNI archive at every run and takes the folder for its own. Whoever puts plugins there must come after.
if ! tar dzf cni.tgz -C /opt/cni/bin >/dev/null 2>&1; then
    tar xzf cni.tgz -C /opt/cni/bin --no-same-owner
    echo cni.tgz
fi
chown -R "$CNI_OWNER" /opt/cni/bin
