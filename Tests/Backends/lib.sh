# shellcheck shell=bash
# Common part of the scripts beside this one. Sourced by them; does nothing by itself.
#
#   BACKENDS_DIR       where all data goes (default /tmp/backends)
#   BACKENDS_NO_APT    set to 1: never install Debian packages, fail when one is missing

set -euo pipefail
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive

BACKENDS_DIR=${BACKENDS_DIR:-/tmp/backends}
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
umask 022

# be NAME: this script's name, and its directory.
be() {
    NAME=$1
    mkdir -p "$BACKENDS_DIR"
    BACKENDS_DIR=$(cd "$BACKENDS_DIR" && pwd -P)
    D=$BACKENDS_DIR/$NAME
}

say()  { printf '%s: %s\n' "$NAME" "$*" >&2; }
die()  { say "$*"; exit 1; }

# need_pkgs NAME...: two starts at once take turns.
need_pkgs() {
    local p missing=()
    for p in "$@"; do
        [ "$(dpkg-query -W -f='${db:Status-Abbrev}' "$p" 2>/dev/null | cut -c1-2)" = ii ] || missing+=("$p")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    [ "${BACKENDS_NO_APT:-0}" = 1 ] && die "missing packages: ${missing[*]}"
    [ "$(id -u)" = 0 ] || die "missing packages, and not root: ${missing[*]}"
    say "installing ${missing[*]}"
    (
        flock 9
        apt=(apt-get -qq -y --no-install-recommends
             -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 -o Acquire::Retries=3
             -o Dpkg::Options::=--force-confold)
        "${apt[@]}" install "${missing[@]}" >"$BACKENDS_DIR/apt.log" 2>&1 || {
            apt-get -qq -o DPkg::Lock::Timeout=600 update
            "${apt[@]}" install "${missing[@]}" >>"$BACKENDS_DIR/apt.log" 2>&1
        } || { tail -20 "$BACKENDS_DIR/apt.log" >&2; exit 1; }
    ) 9>"$BACKENDS_DIR/apt.lock" || die "could not install: ${missing[*]}"
}

# main ARGS...: the verbs; the script defines do_start, do_stop, do_status, do_env.
main() {
    local verb=${1:-}; [ $# -gt 0 ] && shift
    case $verb in
        start)
            mkdir -p "$D"
            exec 8>"$BACKENDS_DIR/$NAME.lock"; flock 8
            local t0=${EPOCHREALTIME/./}
            do_start "$@" 8>&-
            say "ready in $(( (${EPOCHREALTIME/./} - t0) / 1000 )) ms" ;;
        stop)    mkdir -p "$D"; exec 8>"$BACKENDS_DIR/$NAME.lock"; flock 8; do_stop "$@" 8>&- ;;
        restart) "$0" stop; "$0" start "$@" ;;
        status)  do_status "$@" ;;
        env)     do_env "$@" ;;
        wipe)    "$0" stop; rm -rf "$D" ;;
        *) echo "usage: $(basename "$0") start|stop|restart|status|env|wipe" >&2; exit 2 ;;
    esac
}
