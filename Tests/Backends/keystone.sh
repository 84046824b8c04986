#!/usr/bin/env bash
# Keystone (from PyPI, in its own virtual environment) under gunicorn, on SQLite. Needs no root.
#   keystone.sh start|stop|restart|status|env|wipe
#   keystone.sh image-endpoint URL   point the catalogue's image endpoints at URL
#   keystone.sh endpoint TYPE NAME URL   the same for another service, e.g.
#                                    endpoint object-store swift "$SWIFT_KEYSTONE_ENDPOINT"
#   keystone.sh token USER [PROJECT|system|domain]   print a fresh token of that user
#
# Domain Default; projects admin, demo, service; roles admin, manager, member,
# reader, service (implied: admin > manager > member > reader).
#   admin    admin on admin, demo, the system and the domain
#   manager  manager on demo
#   demo     member on demo            other  member on project other
#   reader   reader on demo            norole no role anywhere
#   glance   service and admin on service (the service user)
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
be keystone
# shellcheck disable=SC2034  # read by main
EXTRA_VERBS='image-endpoint URL|endpoint TYPE NAME URL|token USER [PROJECT]'
PORT=${KEYSTONE_PORT:-15000}
PASS=${KEYSTONE_PASSWORD:-secret}
REGION=${KEYSTONE_REGION:-RegionOne}
IMAGE_URL=${KEYSTONE_IMAGE_ENDPOINT:-http://$HOST:9292}
WORKERS=${KEYSTONE_WORKERS:-1}         # with more, SQLite answers now and then that it is locked
MEMCACHED=${KEYSTONE_MEMCACHED:-}       # host:port, to cache in
TOKEN_SECONDS=${KEYSTONE_TOKEN_SECONDS:-86400}
SPEC=${KEYSTONE_PIP:-keystone==30.0.0}
URL=http://$HOST:$PORT/v3
VENV=$BACKENDS_DIR/venv-keystone   # wipe leaves it
manage() {
    "$VENV/bin/keystone-manage" --config-file "$D/keystone.conf" "$@" >>"$LOG/manage.log" 2>&1 ||
        { tail -20 "$LOG/manage.log" >&2; die "keystone-manage $1 failed"; }
}
answers() { http_is 200 "$URL"; }

# the rest of the set-up is through the API, by a small program of the standard library
api() {
    "$VENV/bin/python" - "$URL" "$PASS" "$REGION" "$@" <<'PY'
import json, sys, urllib.request, urllib.error
url, password, region, verb, *args = sys.argv[1:]
token = None
def call(method, path, body=None, headers=False):
    req = urllib.request.Request(url + path, method=method, data=None if body is None else json.dumps(body).encode(),
                                 headers={'Content-Type': 'application/json', **({'X-Auth-Token': token} if token else {})})
    try:
        with urllib.request.urlopen(req, timeout=30) as r:
            data = r.read()
            return dict(r.headers) if headers else (json.loads(data) if data else None)
    except urllib.error.HTTPError as e:
        if e.code == 409: return None
        sys.exit('%s %s: %d %s' % (method, path, e.code, e.read().decode()))
def login(user, scope):
    if scope == 'system': s = {'system': {'all': True}}
    elif scope == 'domain': s = {'domain': {'id': 'default'}}
    elif scope == 'unscoped': s = 'unscoped'
    else: s = {'project': {'name': scope, 'domain': {'id': 'default'}}}
    return call('POST', '/auth/tokens', {'auth': {'scope': s, 'identity': {'methods': ['password'], 'password': {
        'user': {'name': user, 'domain': {'id': 'default'}, 'password': password}}}}}, headers=True)['X-Subject-Token']
def named(kind, name): return next((x for x in call('GET', '/%s' % kind)[kind] if x['name'] == name), None)
def ensure(kind, one, name, **more):
    return named(kind, name) or call('POST', '/' + kind, {one: {'name': name, **more}})[one]
if verb == 'token':
    print(login(args[0], args[1])); sys.exit()
token = login('admin', 'admin')
if verb == 'setup':
    projects = {n: ensure('projects', 'project', n, domain_id='default')['id'] for n in ('admin', 'demo', 'other', 'service')}
    roles = {n: ensure('roles', 'role', n)['id'] for n in ('admin', 'manager', 'member', 'reader', 'service')}
    users = {n: ensure('users', 'user', n, domain_id='default', password=password,
                       options={'ignore_password_expiry': True})['id'] for n in ('admin', 'manager', 'demo', 'other', 'reader', 'norole', 'glance')}
    for user, role, project in [('admin', 'admin', 'admin'), ('admin', 'admin', 'demo'), ('manager', 'manager', 'demo'), ('demo', 'member', 'demo'),
                                ('other', 'member', 'other'), ('reader', 'reader', 'demo'), ('glance', 'service', 'service'), ('glance', 'admin', 'service')]:
        call('PUT', '/projects/%s/users/%s/roles/%s' % (projects[project], users[user], roles[role]))
    call('PUT', '/domains/default/users/%s/roles/%s' % (users['admin'], roles['admin']))
    call('PUT', '/system/users/%s/roles/%s' % (users['admin'], roles['admin']))
    call('PUT', '/system/users/%s/roles/%s' % (users['glance'], roles['reader']))
if verb in ('setup', 'endpoint'):
    kind, name, target = ['image', 'glance', *args] if verb == 'setup' else args
    service = next((s for s in call('GET', '/services?type=' + kind)['services']), None) or \
        call('POST', '/services', {'service': {'type': kind, 'name': name}})['service']
    have = {e['interface']: e for e in call('GET', '/endpoints?service_id=' + service['id'])['endpoints']}
    for interface in ('public', 'internal', 'admin'):
        body = {'endpoint': {'interface': interface, 'url': target, 'service_id': service['id'], 'region_id': region, 'region': region}}
        if interface in have: call('PATCH', '/endpoints/' + have[interface]['id'], body)
        else: call('POST', '/endpoints', body)
PY
}

do_start() {
    need_pkgs curl
    need_venv "$VENV" "$SPEC" pymemcache==4.0.0 gunicorn==27.0.1
    alive gunicorn && answers && return 0
    free_port "$PORT"
    mkdir -p "$D/fernet" "$D/credential" "$D/db"
    chmod 700 "$D/fernet" "$D/credential"
    cat > "$D/keystone.conf" <<CONF
[DEFAULT]
public_endpoint = http://$HOST:$PORT
use_stderr = true
log_dir =
[database]
connection = sqlite:///$D/db/keystone.db
[fernet_tokens]
key_repository = $D/fernet
[credential]
key_repository = $D/credential
[fernet_receipts]
key_repository = $D/fernet
[token]
expiration = $TOKEN_SECONDS
allow_expired_window = 172800
[identity]
# cheap hashes: these are throw-away passwords
password_hash_rounds = 4
[cache]
enabled = true
$(if [ -n "$MEMCACHED" ]; then echo "backend = dogpile.cache.pymemcache"; echo "memcache_servers = $MEMCACHED"; else echo "backend = dogpile.cache.null"; fi)
[oslo_policy]
enforce_scope = false
CONF
    if [ ! -e "$D/made" ]; then
        rm -f "$D/db/keystone.db"
        manage db_sync
        manage fernet_setup --keystone-user "$(id -un)" --keystone-group "$(id -gn)"
        manage credential_setup --keystone-user "$(id -un)" --keystone-group "$(id -gn)"
        manage bootstrap --bootstrap-password "$PASS" --bootstrap-region-id "$REGION" \
            --bootstrap-admin-url "$URL" --bootstrap-internal-url "$URL" --bootstrap-public-url "$URL"
    fi
    # Keystone would take gunicorn's arguments for its own.
    cat > "$D/app.py" <<'PYTHON'
import sys
sys.argv = ['keystone']
from keystone.server import wsgi
application = wsgi.initialize_public_application()
PYTHON
    # Idle connections are kept for long: a client must not meet one that is just being closed.
    spawn gunicorn "$(id -un)" env OS_KEYSTONE_CONFIG_FILES="$D/keystone.conf" OS_KEYSTONE_CONFIG_DIR="$D" \
        "$VENV/bin/gunicorn" --bind "$HOST:$PORT" --worker-class gthread --workers "$WORKERS" --threads 1 \
        --keep-alive 300 --graceful-timeout 5 --no-control-socket --chdir "$D" \
        app:application
    wait_for "answer" gunicorn answers
    if [ ! -e "$D/made" ]; then
        api setup "$IMAGE_URL" || die "set-up failed"
        touch "$D/made"
    fi
}
do_stop()   { halt gunicorn TERM 10; }
do_status() { report gunicorn && answers; }
do_image_endpoint() { api endpoint image glance "${1:?URL}"; }
do_endpoint() { api endpoint "${1:?type}" "${2:?name}" "${3:?URL}"; }
do_token()  { api token "${1:?user}" "${2:-demo}"; }
do_env() {
    cat <<ENV
export OS_AUTH_URL=$URL
export OS_IDENTITY_API_VERSION=3
export OS_REGION_NAME=$REGION
export OS_USERNAME=admin
export OS_PASSWORD=$PASS
export OS_PROJECT_NAME=admin
export OS_USER_DOMAIN_ID=default
export OS_PROJECT_DOMAIN_ID=default
export KEYSTONE_URL=http://$HOST:$PORT
export KEYSTONE_PASSWORD=$PASS
export KEYSTONE_SERVICE_USER=glance
export KEYSTONE_SERVICE_PROJECT=service
ENV
}
main "$@"
