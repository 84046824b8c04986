"""Images that no tool makes, and that name a file of the host to some reader: shorter than a header, or with the name where
not everybody looks. And some that only resemble them."""

import struct


def image(size, *parts):
    """Zeros, with parts at their offsets; those behind the end are cut."""
    octets = bytearray(size + 65536)
    for offset, part in parts:
        octets[offset : offset + len(part)] = part
    return bytes(octets[:size])


def qcow2(size, name=b"", at=104, version=2):
    header = struct.pack(">4sIQII", b"QFI\xfb", version, at if name else 0, len(name), 16)
    # The disk's size, no encryption, one table of one cluster, one of reference counts.
    header += struct.pack(">QIIQQI", 1 << 20, 0, 1, 65536, 131072, 1)
    features = struct.pack(">II", 4, 104) if version == 3 else b""
    return image(size, (0, header), (96, features), (at, name))


def qcow(size, name):
    header = struct.pack(">4sIQIIQBBHIQ", b"QFI\xfb", 1, 48, len(name), 0, 1 << 20, 12, 9, 0, 0, 512)
    return image(size, (0, header), (48, name))


def qed(name):
    header = struct.pack("<4sIIIQQQQQII", b"QED\0", 65536, 4, 1, 1, 0, 0, 65536, 1 << 20, 64, len(name))
    return image(65536 * 6, (0, header), (64, name))


def descriptor(beginning, name):
    extent = f'CID=fffffffe\nparentCID=ffffffff\ncreateType="monolithicFlat"\nRW 20 FLAT "{name.decode()}" 0\n'
    return beginning + extent.encode()


GOOD_TEXT = b"""# Disk DescriptorFile
version=1
CID=fffffffe
parentCID=ffffffff
createType="monolithicSparse"
RW 2048 SPARSE "disk.vmdk"
"""


def vmdk(text, capacity=2048, sector=1, sectors=20, beside=b""):
    header = struct.pack("<4sIIQQQQIQQQ", b"KDMV", 1, 3, capacity, 128, sector, sectors, 512, 0, 30, 128)
    return image(65536, (0, header), (512, beside), (sector * 512, text))


def vdi(size):
    header = struct.pack("<IIII", 0xBEDA107F, 0x10001, 0x180, 1)
    geometry = struct.pack("<II", 512, 1024), struct.pack("<IIQIII", 512, 0, 1 << 20, 1 << 20, 0, 1)
    return image(size, (0x40, header), (0x154, geometry[0]), (0x168, geometry[1]))


BEGINNINGS = (
    b"# Disk DescriptorFile\nversion=1\n",
    b"# a comment\nversion=1\n",
    b"version=1\n",
    b"version=2\n",
    b"version=3\n",
    b"version=4\n",
    b"# a comment\r\nversion=1\r\n",
    b"# a comment\rversion=1\r",
    b"#\n  \n \r\nversion=1\n",
    b"\n\nversion=1\n",
    b"\t\nversion=1\n",
    b" # a comment\nversion=1\n",
    b"VERSION=1\n",
    b"version = 1\n",
    b"version=12\n",
    b"#" * 501 + b"\nversion=1\n",
    b"#" * 502 + b"\nversion=1\n",
    b"",
)


def every(host_file):
    """(what it is, the service's name of the format, QEMU's, its bytes), of images that name `host_file`."""
    name = str(host_file).encode()
    yield "a qcow2 of 88 octets and a name", "qcow2", "qcow2", qcow2(72 + len(name), name, at=72)
    yield "a qcow2 of less than a sector", "qcow2", "qcow2", qcow2(511, name)
    yield "a qcow2, version 3, of less than a sector", "qcow2", "qcow2", qcow2(300, name, version=3)
    yield "a qcow, version 1", "qcow2", "qcow", qcow(48 + len(name), name)
    yield "a QED", "raw", "qed", qed(name)
    for beginning in BEGINNINGS:
        yield f"a descriptor behind {beginning[:32]}", "vmdk", "vmdk", descriptor(beginning, name)
    parent = b'parentFileNameHint="%s"\n' % name
    yield "a VMDK of no capacity", "vmdk", "vmdk", vmdk(descriptor(BEGINNINGS[0], name), capacity=0)
    yield "a VMDK, its parent in a comment", "vmdk", "vmdk", vmdk(GOOD_TEXT + b"# " + parent)
    accented = b'# parentFileNameHint\xcc\x81%s"\n' % name
    yield "a VMDK, its parent with an accent", "vmdk", "vmdk", vmdk(GOOD_TEXT + accented)
    full = GOOD_TEXT + b"#" * (511 - len(GOOD_TEXT)) + b"\n"
    yield "a VMDK, its parent behind the descriptor", "vmdk", "vmdk", vmdk(full + parent, sectors=1)
    other = GOOD_TEXT + parent
    yield "a VMDK, its parent in another text", "vmdk", "vmdk", vmdk(GOOD_TEXT, sector=40, beside=other)


def harmless():
    """The same of images that name nothing."""
    yield "a qcow2 of 60 octets", "qcow2", "qcow2", qcow2(60)
    yield "the name of qcow2", "qcow2", "qcow2", b"QFI\xfb" + bytes(36)
    yield "a VDI cut in its header", "vdi", "vdi", vdi(400)
    yield "settings", "vmdk", "vmdk", b"# settings\n\nversion=1\n"
    yield "a script", "vmdk", "vmdk", b"#!/bin/sh\nset -e\nversion=1\n"
    yield "LUKS 2, cut", "luks", "luks", b"LUKS\xba\xbe\0\2"
