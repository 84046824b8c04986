#!/usr/bin/env bash
# Real images of every format an image service meets, made from what Debian ships, with a manifest. All are small on
# disk; sizes are kept low on purpose.
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
    local secret=secret

    # --- boot media -----------------------------------------------------------
    cp "$iso" grub-rescue.iso
    row grub-rescue.iso iso bare safe "hybrid: an ISO 9660 that also carries a partition table (two formats match)" raw
    mkdir -p "$TMP/cd"; cp "$memtest" "$TMP/cd/memtest"; printf 'instance-id: i-1\n' > "$TMP/cd/meta-data"; printf '#cloud-config\n{}\n' > "$TMP/cd/user-data"
    genisoimage -quiet -V cidata -J -r -o plain.iso "$TMP/cd"
    row plain.iso iso bare safe "a plain ISO 9660 with Joliet and Rock Ridge (a cloud-init seed)" raw
    cp /usr/lib/grub-rescue/grub-rescue-floppy.img floppy.raw
    row floppy.raw raw bare safe "a bootable floppy; ISO 9660 and a boot sector at once (two formats match)" raw

    # --- a bootable GPT disk: EFI system partition holding memtest86+ ------------
    truncate -s 48M gpt.raw
    sgdisk -og -n 1:2048:+40M -t 1:ef00 -c 1:ESP gpt.raw >/dev/null
    mkfs.vfat -F 16 -n ESP --offset 2048 gpt.raw 40960 >/dev/null 2>&1
    mmd -i gpt.raw@@1M ::/EFI ::/EFI/BOOT
    mcopy -i gpt.raw@@1M "$efi" ::/EFI/BOOT/BOOTX64.EFI
    row gpt.raw raw bare safe "GPT with a protective MBR; boots by UEFI" raw
    # --- the same as MBR ----------------------------------------------------------
    truncate -s 48M mbr.raw
    printf 'label: dos\nstart=2048, size=81920, type=6, bootable\n' | sfdisk -q mbr.raw
    mkfs.vfat -F 16 -n DATA --offset 2048 mbr.raw 40960 >/dev/null 2>&1
    mcopy -i mbr.raw@@1M "$memtest" ::/memtest
    row mbr.raw raw bare safe "MBR with one active FAT partition" raw
    head -c 1048576 /dev/zero > zero.raw
    row zero.raw raw bare safe "1 MiB of zeroes: no format at all" raw
    head -c 1000003 /dev/urandom > random.raw
    row random.raw raw bare safe "random octets, an odd length" raw

    # --- qcow2 and its kin ----------------------------------------------------------
    qi() { qemu-img convert -q -f raw "$@"; }
    qi -O qcow2 -o compat=0.10 gpt.raw v2.qcow2;                 row v2.qcow2 qcow2 bare safe "version 2"
    qi -O qcow2 -o compat=1.1 gpt.raw v3.qcow2;                  row v3.qcow2 qcow2 bare safe "version 3"
    qi -c -O qcow2 gpt.raw zlib.qcow2;                           row zlib.qcow2 qcow2 bare safe "compressed clusters, zlib"
    qi -c -O qcow2 -o compression_type=zstd gpt.raw zstd.qcow2;  row zstd.qcow2 qcow2 bare safe "compressed clusters, zstd: an incompatible feature bit"
    qi -O qcow2 -o cluster_size=64k,extended_l2=on gpt.raw extl2.qcow2; row extl2.qcow2 qcow2 bare unsafe "extended L2 entries: an incompatible feature bit that the reference refuses"
    qi -O qcow2 -o lazy_refcounts=on gpt.raw lazy.qcow2;         row lazy.qcow2 qcow2 bare safe "lazy refcounts"
    qi -O qcow2 v3.qcow2 nested.qcow2;                           row nested.qcow2 qcow2 bare safe "a qcow2 whose guest disk is itself a qcow2 file"
    cp v3.qcow2 snapshot.qcow2; qemu-img snapshot -c first snapshot.qcow2
    row snapshot.qcow2 qcow2 bare safe "an internal snapshot"
    qemu-img create -q -f qcow2 empty.qcow2 1G;                  row empty.qcow2 qcow2 bare safe "nothing written, 1 GiB"
    qemu-img create -q -f qcow2 large.qcow2 8E 2>/dev/null || qemu-img create -q -f qcow2 -o cluster_size=2M large.qcow2 16T
    row large.qcow2 qcow2 bare safe "a very large virtual size in a small file"
    qemu-img create -q -f qcow2 -b v3.qcow2 -F qcow2 backing.qcow2
    row backing.qcow2 qcow2 bare unsafe "has a backing file (v3.qcow2)"
    qemu-img create -q -u -f qcow2 -b /etc/passwd -F raw backing-host.qcow2 1M
    row backing-host.qcow2 qcow2 bare unsafe "has a backing file on the host (/etc/passwd)"
    qemu-img create -q -u -f qcow2 -b 'json:{"driver":"raw","file":{"driver":"file","filename":"/etc/passwd"}}' -F raw backing-json.qcow2 1M
    row backing-json.qcow2 qcow2 bare unsafe "has a json: backing file"
    qemu-img create -q -f qcow2 -o data_file=data-file.raw,data_file_raw=on data-file.qcow2 48M
    row data-file.qcow2 qcow2 bare unsafe "has an external data file (data-file.raw)"
    row data-file.raw raw bare safe "the data file of data-file.qcow2; zeroes" raw
    qemu-img convert -q -f raw -O qcow2 --object secret,id=s0,data=$secret -o encrypt.format=luks,encrypt.key-secret=s0,encrypt.iter-time=10 gpt.raw luks.qcow2
    row luks.qcow2 qcow2 bare safe "LUKS inside; passphrase: secret"
    qemu-img convert -q -f raw -O qcow2 --object secret,id=s0,data=$secret -o compat=0.10,encrypt.format=aes,encrypt.key-secret=s0 gpt.raw aes.qcow2 2>/dev/null &&
        row aes.qcow2 qcow2 bare safe "the old AES encryption; passphrase: secret"
    # version 3 with an unknown incompatible feature (bit 62 of octets 72-79)
    cp v3.qcow2 unknown-feature.qcow2; printf '\x40' | dd of=unknown-feature.qcow2 bs=1 seek=72 conv=notrunc status=none
    row unknown-feature.qcow2 qcow2 bare unsafe "an unknown incompatible feature bit"
    head -c 60 v3.qcow2 > short.qcow2;                           row short.qcow2 qcow2 bare unsafe "cut within the header"
    qi -O qcow gpt.raw v1.qcow;                                  row v1.qcow - bare unsafe "version 1 of qcow"
    qi -O qed gpt.raw disk.qed;                                  row disk.qed - bare unsafe "QED: not a format of the service"

    # --- VMware ----------------------------------------------------------------------
    qi -O vmdk -o subformat=monolithicSparse gpt.raw sparse.vmdk;     row sparse.vmdk vmdk bare safe "monolithicSparse"
    qi -O vmdk -o subformat=streamOptimized gpt.raw stream.vmdk;      row stream.vmdk vmdk bare safe "streamOptimized"
    qi -O vmdk -o subformat=monolithicFlat gpt.raw flat.vmdk;         row flat.vmdk vmdk bare unsafe "monolithicFlat: a descriptor that names flat-flat.vmdk"
    row flat-flat.vmdk raw bare safe "the extent of flat.vmdk: a raw GPT disk" raw
    qi -O vmdk -o subformat=twoGbMaxExtentSparse gpt.raw split.vmdk;  row split.vmdk vmdk bare unsafe "twoGbMaxExtentSparse: a descriptor that names its extents"
    row split-s001.vmdk vmdk bare unsafe "an extent of split.vmdk alone, without a descriptor"
    sed 's#"flat-flat.vmdk"#"/etc/passwd"#' flat.vmdk > host-extent.vmdk
    row host-extent.vmdk vmdk bare unsafe "a descriptor whose extent is a file of the host"

    # --- VirtualBox, Hyper-V, Parallels, LUKS ---------------------------------------------
    qi -O vdi gpt.raw disk.vdi;                                   row disk.vdi vdi bare safe "dynamic"
    qi -O vdi -o static=on gpt.raw static.vdi;                    row static.vdi vdi bare safe "fixed"
    qi -O vpc -o subformat=dynamic,force_size=on gpt.raw dynamic.vhd; row dynamic.vhd vhd bare safe "dynamic: a copy of the footer leads"
    qi -O vpc -o subformat=fixed,force_size=on gpt.raw fixed.vhd; row fixed.vhd vhd bare safe "fixed: raw data, and only a footer" vpc
    qi -O vhdx gpt.raw disk.vhdx;                                 row disk.vhdx vhdx bare safe "dynamic"
    qi -O vhdx -o subformat=fixed gpt.raw fixed.vhdx;             row fixed.vhdx vhdx bare safe "fixed"
    qi -O parallels gpt.raw disk.ploop;                           row disk.ploop ploop bare safe "Parallels expandable image (the header of ploop)"
    qemu-img convert -q -f raw -O luks --object secret,id=s0,data=$secret -o key-secret=s0,iter-time=10 gpt.raw v1.luks
    row v1.luks luks bare safe "LUKS 1; passphrase: secret"
    truncate -s 20M v2.luks
    printf %s $secret | cryptsetup -q luksFormat --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 v2.luks - >/dev/null 2>&1 &&
        row v2.luks luks bare unsafe "LUKS 2, which the reference refuses; passphrase: secret" raw

    # --- the Amazon three ---------------------------------------------------------------
    cp "$memtest" kernel.aki;                                     row kernel.aki aki aki safe "a kernel in the Linux boot protocol (its boot sector looks like a damaged MBR)" raw
    (cd "$TMP/cd" && find . | LC_ALL=C sort | cpio -o -H newc --quiet | gzip -9n) > ramdisk.ari
    row ramdisk.ari ari ari safe "a gzipped cpio" raw
    truncate -s 16M root.ami; mkfs.ext4 -q -F -d "$TMP/cd" root.ami; row root.ami ami ami safe "a bare ext4 file system" raw

    # --- containers -----------------------------------------------------------------------
    local bytes; bytes=$(stat -c %s stream.vmdk)
    cat > "$TMP/disk.ovf" <<OVF
<?xml version="1.0" encoding="UTF-8"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1" xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData" xmlns:vssd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData">
  <References><File ovf:href="disk.vmdk" ovf:id="file1" ovf:size="$bytes"/></References>
  <DiskSection><Info>Disks</Info><Disk ovf:capacity="50331648" ovf:diskId="disk1" ovf:fileRef="file1" ovf:format="http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"/></DiskSection>
  <VirtualSystem ovf:id="memtest"><Info>A machine</Info><Name>memtest</Name>
    <VirtualHardwareSection><Info>Hardware</Info>
      <Item><rasd:Description>Number of Virtual CPUs</rasd:Description><rasd:ElementName>1 virtual CPU</rasd:ElementName><rasd:InstanceID>1</rasd:InstanceID><rasd:ResourceType>3</rasd:ResourceType><rasd:VirtualQuantity>1</rasd:VirtualQuantity></Item>
      <Item xmlns:cim="http://schemas.dmtf.org/wbem/wscim/1/common"><rasd:ElementName>Processor</rasd:ElementName><rasd:InstanceID>2</rasd:InstanceID><rasd:ResourceType>3</rasd:ResourceType></Item>
    </VirtualHardwareSection></VirtualSystem>
</Envelope>
OVF
    cp stream.vmdk "$TMP/disk.vmdk"
    (cd "$TMP" && printf 'SHA256(disk.ovf)= %s\nSHA256(disk.vmdk)= %s\n' "$(sha256sum < disk.ovf | cut -d' ' -f1)" "$(sha256sum < disk.vmdk | cut -d' ' -f1)" > disk.mf
     tar --format=ustar --owner=0 --group=0 -cf "$OUT/machine.ova" disk.ovf disk.mf disk.vmdk)
    row machine.ova vmdk ova safe "an OVF package: descriptor, manifest, streamOptimized disk" raw
    gzip -9nc v3.qcow2 > v3.qcow2.gz;                             row v3.qcow2.gz qcow2 compressed safe "gzip of v3.qcow2 (for decompression on import)" raw
    (cd "$TMP" && zip -q -X - disk.vmdk) > disk.zip;              row disk.zip vmdk compressed safe "zip of one file" raw
    xz -9c v3.qcow2 > v3.qcow2.xz;                                row v3.qcow2.xz qcow2 compressed safe "xz of v3.qcow2" raw
    # an OCI image layout of one layer, as the docker container format carries it
    mkdir -p "$TMP/layer/etc"; echo one > "$TMP/layer/etc/one"
    tar -C "$TMP/layer" --owner=0 --group=0 -cf "$TMP/layer.tar" .
    local layer; layer=$(sha256sum < "$TMP/layer.tar" | cut -d' ' -f1); mkdir -p "$TMP/docker"
    mv "$TMP/layer.tar" "$TMP/docker/$layer.tar"
    printf '{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' "$layer" > "$TMP/docker/config.json"
    printf '[{"Config":"config.json","RepoTags":["tiny:latest"],"Layers":["%s.tar"]}]' "$layer" > "$TMP/docker/manifest.json"
    tar -C "$TMP/docker" --owner=0 --group=0 -cf docker.tar manifest.json config.json "$layer.tar"
    row docker.tar raw docker safe "a saved container image" raw
    # two formats in one file: a valid ISO 9660 whose first octets are a qcow2 header
    cp plain.iso polyglot.iso; dd if=backing-host.qcow2 of=polyglot.iso bs=512 count=1 conv=notrunc status=none
    row polyglot.iso iso bare unsafe "an ISO 9660 with a qcow2 header (and backing file) in its system area"
    rm -rf "$TMP"
    mv "$M.new" "$M"
}

do_start() {
    need_pkgs qemu-utils gdisk fdisk dosfstools mtools genisoimage grub-rescue-pc memtest86+ cryptsetup-bin cpio \
        e2fsprogs zip xz-utils python3
    # A set that an earlier version of this script made is made anew.
    local recipe; recipe=$(sha256sum < "${BASH_SOURCE[0]}" | cut -d' ' -f1)
    [ -s "$M" ] && [ "$(cat "$OUT/recipe" 2>/dev/null)" = "$recipe" ] && return 0
    make_images
    printf '%s\n' "$recipe" > "$OUT/recipe"
    say "$(($(wc -l < "$M") - 1)) images, $(du -sm "$OUT" | cut -f1) MiB"
}
do_stop()   { :; }
do_status() { [ -s "$M" ] || { echo "$NAME: not made"; return 1; }; column -t -s "$(printf '\t')" < <(cut -f1-4,6-9 "$M") 2>/dev/null || cut -f1-4,6-9 "$M"; }
do_env()    { echo "export BACKENDS_IMAGES=$OUT"; echo "export BACKENDS_IMAGES_MANIFEST=$M"; }
[ "${1:-}" = restart ] && rm -f "$M"
main "$@"
