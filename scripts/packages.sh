# shellcheck shell=bash
# What the scripts beside this one share: how they speak, and how they get what they need. Does nothing by itself.

# The libraries that the services link, and what a build needs to find them.
# shellcheck disable=SC2034  # read by the scripts that source this file
BUILD_PACKAGES=(libpq-dev libsqlite3-dev libssl-dev libcrypt-dev pkg-config git ca-certificates)

say() { printf '%s\n' "$*"; }

fail() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# need_swift: the toolchain is the one thing that no script here installs.
need_swift() {
    command -v swift >/dev/null ||
        fail "no Swift toolchain in PATH; install Swift 6.2 or later from https://www.swift.org/install and start again"
}

# missing_packages NAME...: prints those that are not installed.
missing_packages() {
    local name
    for name in "$@"; do
        [ "$(dpkg-query -W -f='${db:Status-Abbrev}' "$name" 2>/dev/null | cut -c1-2)" = ii ] || printf '%s\n' "$name"
    done
}

# need_packages NAME...: installs the missing ones where that is possible, and names them where it is not.
need_packages() {
    local missing
    if ! command -v dpkg-query >/dev/null; then
        say "This is not a Debian or Ubuntu: make sure that you have what these packages hold there: $*"
        return 0
    fi
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    [ "$(id -u)" = 0 ] ||
        fail "missing packages; install them and start again: sudo apt-get install --no-install-recommends ${missing[*]}"
    say "Installing ${missing[*]}"
    install_packages "${missing[@]}" || fail "apt-get could not install: ${missing[*]}"
}

# install_packages NAME...: quietly, and once more with fresh lists when the first try fails.
install_packages() {
    local log status=0
    local apt=(apt-get -qq -y --no-install-recommends -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 -o Acquire::Retries=3)
    log=$(mktemp)
    export DEBIAN_FRONTEND=noninteractive
    "${apt[@]}" install "$@" >"$log" 2>&1 ||
        { "${apt[@]}" update >"$log" 2>&1 && "${apt[@]}" install "$@" >>"$log" 2>&1; } ||
        { status=1; tail -n 20 "$log" >&2; }
    rm -f "$log"
    return $status
}
