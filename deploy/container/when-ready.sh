#!/usr/bin/env bash
# Runs a service once what setup.sh makes is there: its arguments are the service's command. So services may be started in any
# order, and nobody has to see setup's end.
set -euo pipefail
# As the first process of a container it gets no signal that it does not ask for.
trap 'exit 143' TERM

is_ready() {
    [ -e /etc/glance/secrets/registry.keys ] && [ -e /etc/glance/secrets/users ] || return 1
    [ "$1" != glance-registry ] ||
        OS_DATABASE__MAX_RETRIES=0 glance-manage --config-file /etc/glance/glance-registry.conf db check >/dev/null 2>&1
}

# After that the service itself says what it lacks.
for ((second = 0; second < ${GLANCE_READY_SECONDS:-120}; second++)); do
    ! is_ready "$1" || break
    [ $second != 0 ] || echo "$1 waits for setup to end" >&2
    sleep 1 &
    wait $!
done
exec "$@"
