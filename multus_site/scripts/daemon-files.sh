# Removes what a daemon of address management leaves on a node when it stops. Argument: apply | remove.
# Variables: PROCESS (the daemon's; while it runs, the files are in use), LEFT (paths, space separated).
set -eu

gone() {
    tries=0
    while pgrep -x "$PROCESS" >/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -le 10 ] || return 1
        sleep 1
    done
}

case $1 in
    apply) ;; # the daemon puts them there itself
    remove)
        if gone; then
            # shellcheck disable=SC2086 # a list
            rm -rf $LEFT
        else
            echo "$(cat /proc/sys/kernel/hostname): $PROCESS runs, and its files stay" >&2
        fi
        ;;
esac
