#!/usr/bin/env bash
# PostgreSQL on loopback: an empty database owned by an ordinary (not superuser) role.
#   postgresql.sh start|stop|restart|status|env|wipe|reset|psql
# reset drops and makes the database anew; psql opens it (further arguments go to psql).
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
be postgresql
# shellcheck disable=SC2034  # read by lib.sh
EXTRA_VERBS='reset|psql'
PORT=${POSTGRESQL_PORT:-15432}
DB=${POSTGRESQL_DB:-glance}
ROLE=${POSTGRESQL_USER:-glance}
PASS=${POSTGRESQL_PASSWORD:-glance-secret}
OS_USER=postgres

# a unix socket's path is limited to 107 bytes: fall back to a short one
SOCK=$D/sock
[ ${#SOCK} -gt 80 ] && SOCK=/tmp/backends-pg-$PORT

bin() { local d; d=$(find /usr/lib/postgresql -maxdepth 1 -mindepth 1 | sort -V | tail -1); echo "$d/bin/$1"; }
as_pg() { setpriv --reuid=$OS_USER --regid="$(id -g $OS_USER)" --init-groups -- "$@"; }
admin() { as_pg "$(bin psql)" -X -q -v ON_ERROR_STOP=1 -h "$SOCK" -p "$PORT" -U postgres "$@"; }
answers() { PGPASSWORD=$PASS "$(bin psql)" -X -q -h "$HOST" -p "$PORT" -U "$ROLE" -d "$DB" -c 'SELECT 1'; }
listens() { "$(bin pg_isready)" -q -h "$SOCK" -p "$PORT"; }

do_start() {
    if ! dpkg-query -W -f='${db:Status-Abbrev}' postgresql-common 2>/dev/null | grep -q ^ii; then
        # no cluster of the distribution's making
        mkdir -p /etc/postgresql-common/createcluster.d
        echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.d/backends.conf
    fi
    need_pkgs postgresql
    alive postgres && answers >/dev/null 2>&1 && return 0
    alive postgres || free_port "$PORT"
    mkdir -p "$D/data" "$SOCK"
    chown "$OS_USER:" "$D/data" "$SOCK" "$LOG"
    chmod 700 "$D/data"
    if [ ! -s "$D/data/PG_VERSION" ]; then
        # Texts are in the order of a language here, as an operator's may be: what needs another order has to say so.
        local locale=(--locale=C.UTF-8)
        if "$(bin initdb)" --help | grep -q -e --icu-locale; then
            locale+=(--locale-provider=icu --icu-locale=en-US)
        fi
        as_pg "$(bin initdb)" -D "$D/data" -U postgres -E UTF8 "${locale[@]}" --no-sync \
            --auth-local=trust --auth-host=scram-sha-256 >"$LOG/initdb.log" 2>&1 ||
            { cat "$LOG/initdb.log" >&2; die "initdb failed"; }
        # Data here is thrown away: durability is off, for speed.
        cat >> "$D/data/postgresql.conf" <<CONF
fsync = off
synchronous_commit = off
full_page_writes = off
autovacuum_naptime = 30s
max_connections = 200
shared_buffers = 64MB
log_line_prefix = '%m [%p] %u@%d '
CONF
        cat > "$D/data/pg_hba.conf" <<CONF
local  all       postgres                 peer
local  all       all                      scram-sha-256
host   all       all       127.0.0.1/32   scram-sha-256
CONF
        chown "$OS_USER:" "$D/data/postgresql.conf" "$D/data/pg_hba.conf"
    fi
    # fast shutdown (SIGINT) leaves no postmaster.pid; after a crash the server checks it itself
    spawn postgres $OS_USER "$(bin postgres)" -D "$D/data" -p "$PORT" -h "$HOST" -k "$SOCK"
    wait_for "connection" postgres listens
    admin -d postgres <<SQL
SELECT format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEROLE CREATEDB PASSWORD %L', '$ROLE', '$PASS')
 WHERE NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '$ROLE') \gexec
SELECT format('CREATE DATABASE %I OWNER %I', '$DB', '$ROLE')
 WHERE NOT EXISTS (SELECT 1 FROM pg_database WHERE datname = '$DB') \gexec
SQL
    wait_for "database" postgres answers
}
do_stop()   { halt postgres INT 30; }
do_status() { report postgres && answers >/dev/null; }
do_reset() {
    admin -d postgres -c "DROP DATABASE IF EXISTS \"$DB\" WITH (FORCE)" -c "CREATE DATABASE \"$DB\" OWNER \"$ROLE\""
}
do_psql() { PGPASSWORD=$PASS exec "$(bin psql)" -X -h "$HOST" -p "$PORT" -U "$ROLE" -d "$DB" "$@"; }
do_env() {
    cat <<ENV
export POSTGRESQL_HOST=$HOST
export POSTGRESQL_PORT=$PORT
export POSTGRESQL_SOCKET_DIR=$SOCK
export POSTGRESQL_USER=$ROLE
export POSTGRESQL_PASSWORD=$PASS
export POSTGRESQL_DB=$DB
export POSTGRESQL_URL=postgresql://$ROLE:$PASS@$HOST:$PORT/$DB
export POSTGRESQL_URL_SOCKET=postgresql://$ROLE:$PASS@/$DB?host=$SOCK\&port=$PORT
ENV
}
main "$@"
