#!/usr/bin/env bash
# Build and run containers where there is no systemd, a hybrid cgroup tree and no
# right to raise limits: images under BACKENDS_DIR, no cgroups, the host's network.
#   podman.sh start                 install, and make the image localhost/debian:12
#                                   from a local debootstrap (once)
#   podman.sh podman ARGS...        e.g. podman.sh podman run --rm localhost/debian:12 id
#   podman.sh buildah ARGS...       e.g. podman.sh buildah bud -t x -f Containerfile .
#   podman.sh compose ARGS...       podman-compose, in the current directory
#   podman.sh status|env|stop|wipe
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
be podman
# shellcheck disable=SC2034  # lib.sh reads it
EXTRA_VERBS='podman ...|buildah ...|compose ...'
BASE=${PODMAN_BASE:-localhost/debian:12}
# cgroup v2 beside v1 upsets crun: in a mount namespace of our own, take v2 away; a
# pure v2 or pure v1 host is left as it is
inside() {
    export CONTAINERS_CONF=$D/containers.conf CONTAINERS_STORAGE_CONF=$D/storage.conf TMPDIR=$D/tmp
    export BUILDAH_ISOLATION=chroot REGISTRIES_CONFIG_PATH=$D/registries.conf
    unshare -m --propagation private bash -c '
        if grep -q " /sys/fs/cgroup/unified cgroup2 " /proc/mounts; then umount /sys/fs/cgroup/unified; fi
        exec "$@"' inside "$@"
}
configure() {
    local driver=overlay hard
    mkdir -p "$D/tmp" "$D/storage" "$D/runroot"
    hard=$(ulimit -Hn); [ "$hard" = unlimited ] && hard=1048576
    # an upper directory on overlay is no place for another overlay
    case $(stat -f -c %T "$D") in overlayfs|tmpfs) driver=vfs ;; esac
    cat > "$D/containers.conf" <<CONF
[containers]
default_ulimits = ["nofile=1024:$hard", "nproc=4096:4096"]
cgroups = "disabled"
netns = "host"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
CONF
    printf '[storage]\ndriver = "%s"\ngraphroot = "%s"\nrunroot = "%s"\n' "${PODMAN_STORAGE:-$driver}" "$D/storage" "$D/runroot" > "$D/storage.conf"
    printf 'unqualified-search-registries = []\nshort-name-mode = "permissive"\n' > "$D/registries.conf"
    [ -e /etc/containers/policy.json ] || { mkdir -p /etc/containers; echo '{"default":[{"type":"insecureAcceptAnything"}]}' > /etc/containers/policy.json; }
}
do_start() {
    need_pkgs podman buildah crun debootstrap util-linux
    # the distribution's podman-compose does not know network_mode
    need_venv "$BACKENDS_DIR/venv-podman-compose" "${PODMAN_COMPOSE_PIP:-podman-compose}"
    configure
    if ! inside podman image exists "$BASE"; then
        # the mirror apt itself uses here
        local mirror rootfs=$D/rootfs
        mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 2>/dev/null | grep -v security | head -1)
        rm -rf "$rootfs"
        debootstrap --variant=minbase --keyring=/usr/share/keyrings/debian-archive-keyring.gpg bookworm "$rootfs" "$mirror" >"$LOG/debootstrap.log" 2>&1 ||
            { tail -20 "$LOG/debootstrap.log" >&2; die "debootstrap failed"; }
        rm -rf "$rootfs"/var/cache/apt/archives/*.deb "$rootfs"/var/lib/apt/lists/*
        tar -C "$rootfs" -c . | inside podman import -q - "$BASE" >/dev/null
        rm -rf "$rootfs"
    fi
    [ "$(inside podman run --rm "$BASE" echo works)" = works ] || die "podman run does not work here"
}
do_stop()    { [ -e "$D/containers.conf" ] && inside podman stop -a -t 5 >/dev/null 2>&1 || true; }
do_status()  { [ -e "$D/containers.conf" ] && inside podman image exists "$BASE" && inside podman ps -a; }
do_podman()  { configure; inside podman "$@"; }
do_buildah() { configure; inside buildah "$@"; }
do_compose() { configure; inside "$BACKENDS_DIR/venv-podman-compose/bin/podman-compose" "$@"; }
do_env()     { echo "export PODMAN=\"$(readlink -f "${BASH_SOURCE[0]}") podman\""; echo "export PODMAN_BASE=$BASE"; }
main "$@"
