# What networks need on a node besides plugins: VLAN sub-interfaces and bonds, virtual functions at each boot, and configurations
# that differ by node. Argument: apply | remove. Prints one line of JSON, or findings, one per line, on stderr and exits 1.
# Variables: LINKS, MANAGEMENT (node-links.sh), FUNCTIONS, FUNCTIONS_SCRIPT (virtual-functions.sh), CONFIGS (node-configs.sh).
set -eu

say() { echo "$(hostname): $1" >&2; }

put() { # file: standard input, if it is anything else than what is there; whether it was
    cat >"$1.multus-site"
    if cmp -s "$1.multus-site" "$1"; then
        rm -f "$1.multus-site"
        return 1
    fi
    chmod 0644 "$1.multus-site"
    mv -f "$1.multus-site" "$1"
}

# include: nics
# include: node-links
# include: virtual-functions
# include: node-configs
# shellcheck disable=SC2034 # what is included reads them
case $1 in
    apply) ;;
    remove) LINKS='' FUNCTIONS='' CONFIGS='' ;;
esac
links
virtual_functions
configs
made=$(links_as_json)
files=$(configs_as_json)
printf '{"links": %s, %s}\n' "$made" "$files"
