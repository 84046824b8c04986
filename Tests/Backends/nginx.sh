#!/usr/bin/env bash
# nginx as a peer for measurements: it serves the files of one directory with sendfile, and the same by TLS, on loopback.
#   nginx.sh start|stop|restart|status|env|wipe
#   NGINX_ROOT   the directory (default its own, empty)
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
be nginx
PORT=${NGINX_PORT:-18090}
TLS=${NGINX_TLS_PORT:-18445}
ROOT=${NGINX_ROOT:-$D/files}
answers() { http_is 200 "http://$HOST:$PORT/healthz" && http_is 200 -k "https://$HOST:$TLS/healthz"; }
do_start() {
    need_pkgs nginx openssl curl
    if alive nginx && [ "$(cat "$D/root" 2>/dev/null)" = "$ROOT" ] && answers; then return 0; fi
    halt nginx
    free_port "$PORT" "$TLS"
    mkdir -p "$D/tmp" "$D/tls"
    [ -d "$ROOT" ] || mkdir -p "$ROOT"
    if [ ! -s "$D/tls/server.pem" ]; then
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj '/CN=localhost' \
            -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$D/tls/server.key" -out "$D/tls/server.pem" 2>/dev/null
    fi
    cat > "$D/nginx.conf" <<CONF
daemon off;
worker_processes auto;
user $(id -un);
pid $D/run/nginx.own.pid;
error_log stderr warn;
events { worker_connections 1024; }
http {
    access_log off;
    sendfile on;
    tcp_nopush on;
    client_body_temp_path $D/tmp/body; proxy_temp_path $D/tmp/proxy; fastcgi_temp_path $D/tmp/fastcgi;
    uwsgi_temp_path $D/tmp/uwsgi; scgi_temp_path $D/tmp/scgi;
    root $ROOT;
    server { listen $HOST:$PORT; location = /healthz { return 200; } }
    server {
        listen $HOST:$TLS ssl;
        ssl_certificate $D/tls/server.pem; ssl_certificate_key $D/tls/server.key; ssl_protocols TLSv1.3;
        location = /healthz { return 200; }
    }
}
CONF
    spawn nginx "$(id -un)" nginx -p "$D" -c "$D/nginx.conf"
    wait_for "answer" nginx answers
    printf '%s' "$ROOT" > "$D/root"
}
do_stop()   { halt nginx TERM 5; }
do_status() { report nginx && answers; }
do_env() {
    # Without a process there is no number, which is no failure.
    cat <<ENV
export NGINX_URL=http://$HOST:$PORT
export NGINX_TLS_URL=https://$HOST:$TLS
export NGINX_CERT=$D/tls/server.pem
export NGINX_CERT_KEY=$D/tls/server.key
export NGINX_PID=$(pid_of nginx || true)
ENV
}
main "$@"
