#!/usr/bin/env bash
# Makes what the services in containers share: the keys between them, the first user, and the schema of the database.
set -euo pipefail
umask 077
secrets=/etc/glance/secrets

if [ ! -e $secrets/registry.keys ]; then
    echo "key-1 $(head -c 32 /dev/urandom | base64)" >$secrets/registry.keys.new
    mv $secrets/registry.keys.new $secrets/registry.keys
fi
if [ ! -e $secrets/users ]; then
    printf '%s\n' "$GLANCE_ADMIN_PASSWORD" | glance-api user --file $secrets/users --name admin --project admin \
        --roles admin,manager,member,reader --password-stdin
fi
# The database may still be starting, which is waited for; what is wrong with its address is not.
export OS_DATABASE__RETRY_INTERVAL=1 OS_DATABASE__MAX_RETRIES=60
exec glance-manage --config-file /etc/glance/glance-registry.conf db sync
