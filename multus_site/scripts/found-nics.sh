# Adds the NICs that the site does not select by name to UPLINKS, when they exist. Included by prepare.sh.
# Variable: FOUND_BY (lines `mac X`, `pci X` or `altname X`).
# include: nics

found_nics() {
    printf '%s\n' "$FOUND_BY" | while read -r how value; do nic_by "$how" "$value"; done
}

tries=0
while [ "$(found_nics | wc -l)" -lt "$(printf '%s\n' "$FOUND_BY" | wc -l)" ] && [ "$tries" -lt "${TRIES:-30}" ]; do
    tries=$((tries + 1))
    sleep 2
done
UPLINKS="$UPLINKS $(found_nics | tr '\n' ' ')"

