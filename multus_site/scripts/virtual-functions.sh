# Virtual functions of a node: created now and at each boot, before anything allocates them. Part of networks.sh.
# Variables: FUNCTIONS (lines `PF COUNT DRIVER`), FUNCTIONS_SCRIPT (functions.sh).

unit=/etc/systemd/system/multus-site-functions.service
functions=/etc/multus-site/functions

without_functions() { # lines of the NICs that had functions and are to have none
    printf '%s\n' "$FUNCTIONS" | awk 'NR == FNR { wanted[$1]; next } !($1 in wanted)' - "$functions"
}

virtual_functions() {
    if [ -z "$FUNCTIONS" ] && [ -e "$unit" ]; then
        systemctl disable --quiet multus-site-functions.service 2>/dev/null || true
    fi
    [ ! -e "$functions" ] || without_functions | sh "$functions.sh" remove
    if [ -z "$FUNCTIONS" ]; then
        rm -f "$unit" "$functions" "$functions.sh"
        return 0
    fi
    mkdir -p /etc/multus-site
    changed=''
    printf '%s\n' "$FUNCTIONS_SCRIPT" | put "$functions.sh" && changed=yes
    printf '%s\n' "$FUNCTIONS" | put "$functions" && changed=yes
    put "$unit" <<UNIT && changed=yes
[Unit]
Description=Make virtual functions of SR-IOV NICs
After=systemd-udev-settle.service
Wants=systemd-udev-settle.service
Before=kubelet.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh $functions.sh apply
StandardInput=file:$functions
[Install]
WantedBy=multi-user.target
UNIT
    if [ -n "$changed" ]; then
        systemctl daemon-reload
        systemctl enable --quiet multus-site-functions.service
    fi
    sh "$functions.sh" apply <"$functions"
}
