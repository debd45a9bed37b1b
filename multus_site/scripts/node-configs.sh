# Configurations of networks that differ by node. Part of networks.sh, behind nics.sh.
# Variable: CONFIGS (lines `NAME|HOW|JSON`; HOW is empty, or `mac X`, `pci X`, `altname X`, which finds @MASTER@ of the JSON).

confdir=/etc/cni/multus/net.d

configs() {
    mkdir -p "$confdir"
    names=''
    findings=''
    while IFS='|' read -r name how json; do
        [ -n "$name" ] || continue
        nic=''
        if [ -n "$how" ]; then
            nic=$(nic_by "${how% *}" "${how#* }")
            if [ -z "$nic" ]; then
                findings="${findings}network $name: there is no interface with $how; see: ip -d link
"
                continue
            fi
            ip link set dev "$nic" up
        fi
        printf '%s\n' "$json" | sed "s/@MASTER@/$nic/" | put "$confdir/multus-site-$name.conflist" || true
        names="$names${names:+, }\"$name\": \"$nic\""
    done <<LIST
$CONFIGS
LIST
    if [ -n "$findings" ]; then
        printf '%s' "$findings" | while read -r line; do say "$line"; done
        exit 1
    fi
    for file in "$confdir"/multus-site-*.conflist; do
        [ -e "$file" ] || continue
        name=${file##*/multus-site-}
        printf '%s\n' "$CONFIGS" | grep -q "^${name%.conflist}|" || rm -f "$file"
    done
}

configs_as_json() { # masters and files
    sums=''
    for file in "$confdir"/multus-site-*.conflist; do
        [ ! -e "$file" ] || sums="$sums${sums:+, }\"$file\": \"$(sha256sum "$file" | cut -d ' ' -f 1)\""
    done
    printf '"masters": {%s}, "files": {%s}' "$names" "$sums"
}
