#!/usr/bin/env bash
# The tempest image tests against a running image service, over its public API and a real Keystone.
#
#   tempest.sh prepare              make the virtual environment (PyPI) and the workspace
#   tempest.sh run [REGEX...]       run; print counts, skip reasons, failures; exit 0 when nothing failed
#   tempest.sh clients              make the environment of the stock clients and pytest; print where it is
#   tempest.sh list [REGEX...]      the tests that would run
#
# The service is the one that the Keystone catalogue names as `image` (../backends/keystone.sh image-endpoint URL).
# Keystone: by default ../backends/keystone.sh, which must be running. A feature that is not built yet is switched off
# by its variable, so that its tests are skipped with a reason instead of failing:
#
#   variable                     default   meaning
#   TEMPEST_IMPORT               true      image import, staging
#   TEMPEST_MANAGE_LOCATIONS     true      locations API; wants show_multiple_locations and an http store
#   TEMPEST_HTTP_STORE           true      an http store is enabled
#   TEMPEST_SECURE_HASH          true      do_secure_hash is on
#   TEMPEST_STORE_WEIGHT         true      stores have weights; their order by weight must be the order by name
#   TEMPEST_CACHING              true      /v2/cache
#   TEMPEST_FORMAT_ENFORCEMENT   true      content inspection refuses mismatches
#   TEMPEST_CONVERSION           false     the image_conversion plugin is on
#   TEMPEST_SCOPE                true      enforce_scope and the reader persona
#   TEMPEST_METADEFS             true      metadata definitions (else their tests are left out, and counted below)
#   TEMPEST_TASKS                true      the tasks API (likewise)
#   TEMPEST_CONCURRENCY          2
#   TEMPEST_HTTP_IMAGE, TEMPEST_QCOW2_IMAGE  URLs that the service can fetch (import filters must let the host through);
#                                by default two files under ../backends/http-source.sh, which must be running then
#   TEMPEST_ALTERNATE_ENDPOINT   catalogue type of a second API node (its own staging), "" for none
. "$(dirname "${BASH_SOURCE[0]}")/../Backends/lib.sh"
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
be tempest
NOT_BUILT=$HERE/not-built-yet.txt
VENV=$BACKENDS_DIR/venv-tempest
KEYSTONE=${TEMPEST_KEYSTONE_URL:-http://$HOST:${KEYSTONE_PORT:-15000}/v3}
PASS=${TEMPEST_ADMIN_PASSWORD:-${KEYSTONE_PASSWORD:-secret}}
SOURCE=http://$HOST:${HTTP_SOURCE_PORT:-18088}/files

do_prepare() {
    mkdir -p "$D" "$RUN" "$LOG"
    need_venv "$VENV" tempest==47.0.0 glance-tempest-plugin==0.17.0 \
        python-subunit==1.4.6 stestr==4.2.1 testtools==2.9.1 setuptools==84.2.1
    [ -d "$D/workspace/etc" ] || { rm -rf "$D/workspace"; PATH=$VENV/bin:$PATH tempest init --workspace-path "$D/workspaces.yaml" "$D/workspace" >"$LOG/init.log" 2>&1 || { cat "$LOG/init.log" >&2; die "tempest init failed"; }; }
    cat > "$D/workspace/etc/tempest.conf" <<CONF
[DEFAULT]
log_file = tempest.log
[auth]
use_dynamic_credentials = true
create_isolated_networks = false
admin_username = admin
admin_password = $PASS
admin_project_name = admin
admin_domain_name = Default
admin_system = all
[identity]
uri_v3 = $KEYSTONE
auth_version = v3
region = ${KEYSTONE_REGION:-RegionOne}
v3_endpoint_type = public
[identity-feature-enabled]
api_v3 = true
[service_available]
nova = false
neutron = false
cinder = false
swift = false
horizon = false
glance = true
[enforce_scope]
glance = ${TEMPEST_SCOPE:-true}
keystone = true
[image]
catalog_type = image
region = ${KEYSTONE_REGION:-RegionOne}
endpoint_type = public
$([ -z "${TEMPEST_ALTERNATE_ENDPOINT:-}" ] || printf 'alternate_image_endpoint = %s\nalternate_image_endpoint_type = public' "$TEMPEST_ALTERNATE_ENDPOINT")
image_caching_enabled = ${TEMPEST_CACHING:-true}
http_image = ${TEMPEST_HTTP_IMAGE:-$SOURCE/http-image.bin}
http_qcow2_image = ${TEMPEST_QCOW2_IMAGE:-$SOURCE/disk.qcow2}
build_timeout = 60
hashing_algorithm = sha512
container_formats = bare,ami,ari,aki,ovf,ova,docker,compressed
disk_formats = qcow2,raw,ami,ari,aki,vhd,vmdk,vdi,iso,vhdx,ploop,gpt
[image-feature-enabled]
api_v2 = true
import_image = ${TEMPEST_IMPORT:-true}
os_glance_reserved = true
manage_locations = ${TEMPEST_MANAGE_LOCATIONS:-true}
http_store_enabled = ${TEMPEST_HTTP_STORE:-true}
do_secure_hash = ${TEMPEST_SECURE_HASH:-true}
store_weight_enabled = ${TEMPEST_STORE_WEIGHT:-true}
image_conversion = ${TEMPEST_CONVERSION:-false}
image_format_enforcement = ${TEMPEST_FORMAT_ENFORCEMENT:-true}
[oslo_concurrency]
lock_path = $D/workspace/lock
CONF
}
regex() { if [ $# -gt 0 ]; then (IFS='|'; echo "($*)"); else echo '(^tempest\.api\.image|^glance_tempest_plugin)'; fi; }
# What is left out, one regular expression a line.
without() {
    [ "${TEMPEST_METADEFS:-true}" = true ] ||
        echo '[Mm]etadef|Namespace|ResourceType|resource_types|namespace|rbac\.v2\.[a-z_]+\.(Objects|Properties|RSTypes|Tags)'
    [ "${TEMPEST_TASKS:-true}" = true ] || echo 'test_image_task|Tasks'
    sed -nE 's/^([^#[:space:]]+).*/\1/p' "$NOT_BUILT"
}
without_option() { local out=(); mapfile -t out < <(without); [ ${#out[@]} -eq 0 ] || (IFS='|'; printf -- '--exclude-regex\n(%s)\n' "${out[*]}"); }
names() { PATH=$VENV/bin:$PATH tempest run --list-tests --regex "$(regex "$@")" | grep -E '^(tempest|glance_)' | sed 's/\[.*//' | sort; }
# tell_left_out REGEX...: how many of the tests asked for are left out, by which line and why.
tell_left_out() {
    local all line count
    all=$(names "$@")
    while read -r line; do
        count=$(grep -cE "$line" <<<"$all") || continue
        say "left out, not built yet, $(printf %3d "$count"): $line $(awk -v r="$line" '$1 == r { sub(/^[^#]*/, ""); print }' "$NOT_BUILT")"
    done < <(without)
}
do_list() { do_prepare; cd "$D/workspace" || exit; PATH=$VENV/bin:$PATH tempest run --list-tests --regex "$(regex "$@")" | grep -E '^(tempest|glance_)' ; }
do_run() {
    do_prepare
    if [ -z "${TEMPEST_QCOW2_IMAGE:-}" ] && [ -d "$BACKENDS_DIR/http-source/files" ]; then
        need_pkgs qemu-utils
        [ -f "$BACKENDS_DIR/http-source/files/http-image.bin" ] || head -c 262144 /dev/urandom > "$BACKENDS_DIR/http-source/files/http-image.bin"
        [ -f "$BACKENDS_DIR/http-source/files/disk.qcow2" ] || qemu-img create -q -f qcow2 "$BACKENDS_DIR/http-source/files/disk.qcow2" 8M
    fi
    cd "$D/workspace" || exit
    rm -f tempest.log
    local rc=0
    local left=(); mapfile -t left < <(without_option)
    PATH=$VENV/bin:$PATH tempest run --concurrency "${TEMPEST_CONCURRENCY:-2}" --regex "$(regex "$@")" "${left[@]}" >"$LOG/run.log" 2>&1 || rc=$?
    PATH=$VENV/bin:$PATH stestr last --subunit >"$D/last.subunit" 2>>"$LOG/run.log" || true
    [ -s "$D/last.subunit" ] || { tail -20 "$LOG/run.log" >&2; die "nothing ran"; }
    tell_left_out "$@"
    "$VENV/bin/python" "$HERE/summary.py" "$D/last.subunit" "$D/report.json"
    return $rc
}
do_clients() {
    local requirements=()
    mapfile -t requirements < <(grep -vE '^[[:space:]]*(#|$)' "$HERE/../System/requirements.txt")
    need_venv "$BACKENDS_DIR/venv-clients" "${requirements[@]}" >&2
    echo "$BACKENDS_DIR/venv-clients"
}
do_status() { [ -x "$VENV/bin/tempest" ]; }
do_env() { echo "export TEMPEST_REPORT=$D/report.json"; }
do_start() { do_prepare; }
do_stop() { :; }
# shellcheck disable=SC2034  # read by main
EXTRA_VERBS='prepare|run [REGEX]|list [REGEX]'
main "$@"
