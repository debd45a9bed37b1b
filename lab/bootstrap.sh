#!/bin/sh
# From nothing to the lab's Python: checks what has to be checked before anything is installed, then makes .venv.
# Usage: lab/bootstrap.sh [--tests|--plain] COMMAND… runs COMMAND in the environment; --plain: without the lab's demands,
# --tests: with them where they can be met.
set -eu
cd "$(dirname "$0")/.."

fail() {
    echo "multus-site: $1" >&2
    exit 1
}

apt_install() { # packages; quiet unless it fails
    mkdir -p .lab
    log=$(mktemp)
    if ! { [ -e "$stamp_apt" ] || { apt-get update && touch "$stamp_apt"; } && DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends "$@"; } >"$log" 2>&1; then
        reason=$(grep -E '^E:' "$log" | head -n 1 || true)
        rm -f "$log"
        fail "apt-get install $* failed: ${reason:-no reason given}. Install these packages yourself, then run the same command again."
    fi
    rm -f "$log"
}
stamp_apt=.lab/apt-updated

lab_demands() {
    [ "$(uname -s)" = Linux ] || fail "the lab needs Linux; this is $(uname -s). \`make test\` runs everything but the lab's tests here."
    [ "$(uname -m)" = x86_64 ] || fail "the lab's nodes are amd64; this machine is $(uname -m). Use an amd64 machine or VM."
    [ "$(id -u)" = 0 ] || fail "the lab makes nodes and network namespaces, which needs root. Type: sudo make lab"
    missing=''
    for pair in podman:podman mmdebstrap:mmdebstrap runc:runc ip:iproute2 nsenter:util-linux setpriv:util-linux \
        gcc:gcc git:git netavark:netavark iptables:iptables xz:xz-utils libc:libc6-dev keyring:debian-archive-keyring; do
        case ${pair%%:*} in
            libc) [ -e /usr/lib/x86_64-linux-gnu/libc.a ] || missing="$missing libc6-dev" ;;
            keyring) [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || missing="$missing debian-archive-keyring" ;;
            netavark) [ -x /usr/lib/podman/netavark ] || [ -x /usr/libexec/podman/netavark ] || missing="$missing netavark" ;;
            *) command -v "${pair%%:*}" >/dev/null || missing="$missing ${pair##*:}" ;;
        esac
    done
    [ -z "$missing" ] && return 0
    command -v apt-get >/dev/null || fail "these are missing and there is no apt-get to install them:$missing"
    echo "installing with apt:$missing"
    # shellcheck disable=SC2086 # a list
    apt_install $missing
}

tests_demands() { # what only tests need, where it can be had
    command -v chromium >/dev/null && return 0
    echo "installing with apt: chromium"
    apt_install chromium
}

environment() {
    python=''
    for candidate in python3 python3.13 python3.12 python3.11; do
        if command -v "$candidate" >/dev/null && "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
            python=$candidate
            break
        fi
    done
    [ -n "$python" ] || fail "there is no Python 3.11 to 3.13; install one, such as: apt-get install python3 python3-venv"
    want=$(cat requirements.txt requirements-dev.txt constraints.txt pyproject.toml | cksum)
    if [ "$(cat .venv/.requirements 2>/dev/null)" = "$want" ] && .venv/bin/python -c '' 2>/dev/null; then return 0; fi
    echo "making .venv: multus-site and requirements-dev.txt"
    rm -rf .venv
    if ! "$python" -m venv .venv >/dev/null 2>&1; then
        if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
            fail "python3 has no venv; install it: apt-get install python3-venv"
        fi
        apt_install python3-venv
        "$python" -m venv .venv || fail "python3 -m venv .venv fails; look at its output above"
    fi
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt ||
        fail "the pinned Python packages cannot be installed; see pip's message above, then run the same command again"
    printf '%s' "$want" >.venv/.requirements
}

if [ "${1:-}" = --plain ]; then
    shift
elif [ "${1:-}" = --tests ]; then
    shift
    # Tests take the lab along where it can be had; where it can't, they say so themselves.
    if [ "$(uname -sm)" = "Linux x86_64" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        lab_demands
        tests_demands
    fi
else
    lab_demands
fi
environment
PATH="$PWD/.venv/bin:$PATH" exec "$@"
