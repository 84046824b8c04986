#!/usr/bin/env bash
# memcached on loopback, TCP only.   memcached.sh start|stop|restart|status|env|wipe
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
be memcached
PORT=${MEMCACHED_PORT:-15211}
answers() {
    /usr/bin/python3 - "$HOST" "$PORT" <<'PY'
import socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 3); s.settimeout(3)
s.sendall(b'version\r\n'); sys.exit(0 if s.recv(64).startswith(b'VERSION') else 1)
PY
}
do_start() {
    need_pkgs memcached
    alive memcached && answers && return 0
    free_port "$PORT"
    local user=nobody
    [ "$(id -u)" = 0 ] || user=$(id -un)
    spawn memcached "$user" memcached -l "$HOST" -p "$PORT" -U 0 -m "${MEMCACHED_MIB:-32}" -t 1 -c 1024
    wait_for "version" memcached answers
}
do_stop()   { halt memcached TERM 5; }
do_status() { report memcached && answers; }
do_env()    { echo "export MEMCACHED_SERVER=$HOST:$PORT"; }
main "$@"
