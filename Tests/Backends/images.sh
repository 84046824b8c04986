#!/usr/bin/env bash
# Real images made from what Debian ships, with a manifest. All are small on disk; sizes are kept low on purpose.
#   images.sh start    make them (once; "images.sh restart" makes them anew)
#   images.sh status   list the manifest
#   images.sh env|stop|wipe
# Manifest: manifest.tsv with the columns file, format as qemu-img tells it ("-" when it cannot), virtual size as
# qemu-img tells it, size, sha256, the service's disk_format, container_format, safe|unsafe, and why.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
be images
OUT=$D
M=$OUT/manifest.tsv
TMP=$OUT/.tmp

info() { # FILE [DRIVER]: "format virtual-size", nothing followed out of the file
    timeout 30 qemu-img info -U --output=json ${2:+-f "$2"} "$1" 2>/dev/null | /usr/bin/python3 -c '
import json,sys
try: j = json.load(sys.stdin); print(j["format"], j["virtual-size"])
except Exception: print("-", "-")' ; }
row() { # FILE DISK CONTAINER VERDICT WHY [DRIVER]
    local f=$OUT/$1 fmt size
    read -r fmt size < <(cd "$OUT" && info "$1" "${6:-}")
    printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$fmt" "$size" "$(stat -c %s "$f")" \
        "$(sha256sum "$f" | cut -d' ' -f1)" "$2" "$3" "$4" "$5" >> "$M.new"
}

make_images() {
    rm -rf "$TMP"; mkdir -p "$TMP"; cd "$OUT" || exit; rm -f "$M"
    printf 'file\tqemu_format\tvirtual_size\tsize\tsha256\tdisk_format\tcontainer_format\tverdict\twhy\n' > "$M.new"
    local iso=/usr/lib/grub-rescue/grub-rescue-cdrom.iso memtest=/boot/memtest86+x64.bin efi=/boot/memtest86+x64.efi

    # --- boot media -----------------------------------------------------------
    cp "$iso" grub-rescue.iso
    row grub-rescue.iso iso bare safe "hybrid: an ISO 9660 that also carries a partition table (two formats match)" raw
    mkdir -p "$TMP/cd"; cp "$memtest" "$TMP/cd/memtest"; printf 'instance-id: i-1\n' > "$TMP/cd/meta-data"; printf '#cloud-config\n{}\n' > "$TMP/cd/user-data"
    genisoimage -quiet -V cidata -J -r -o plain.iso "$TMP/cd"
    row plain.iso iso bare safe "a plain ISO 9660 with Joliet and Rock Ridge (a cloud-init seed)" raw

    # --- a bootable GPT disk: EFI system partition holding memtest86+ ------------
    truncate -s 48M gpt.raw
    sgdisk -og -n 1:2048:+40M -t 1:ef00 -c 1:ESP gpt.raw >/dev/null
    mkfs.vfat -F 16 -n ESP --offset 2048 gpt.raw 40960 >/dev/null 2>&1
    mmd -i gpt.raw@@1M ::/EFI ::/EFI/BOOT
    mcopy -i gpt.raw@@1M "$efi" ::/EFI/BOOT/BOOTX64.EFI
    row gpt.raw raw bare safe "GPT with a protective MBR; boots by UEFI" raw

    # --- qcow2 ------------------------------------------------------------------
    qi() { qemu-img convert -q -f raw "$@"; }
    qi -O qcow2 -o compat=1.1 gpt.raw v3.qcow2;                  row v3.qcow2 qcow2 bare safe "version 3"
    qi -c -O qcow2 gpt.raw zlib.qcow2;                           row zlib.qcow2 qcow2 bare safe "compressed clusters, zlib"
    rm -rf "$TMP"
    mv "$M.new" "$M"
}

do_start() {
    need_pkgs qemu-utils gdisk dosfstools mtools genisoimage grub-rescue-pc memtest86+ python3
    [ -s "$M" ] && return 0
    make_images
    say "$(($(wc -l < "$M") - 1)) images, $(du -sm "$OUT" | cut -f1) MiB"
}
do_stop()   { :; }
do_status() { [ -s "$M" ] || { echo "$NAME: not made"; return 1; }; column -t -s "$(printf '\t')" < <(cut -f1-4,6-9 "$M") 2>/dev/null || cut -f1-4,6-9 "$M"; }
do_env()    { echo "export BACKENDS_IMAGES=$OUT"; echo "export BACKENDS_IMAGES_MANIFEST=$M"; }
[ "${1:-}" = restart ] && rm -f "$M"
main "$@"
