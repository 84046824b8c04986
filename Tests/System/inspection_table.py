"""What this service and `oslo.utils.imageutils` find out of the same real images, as a table of agreements and of explained
differences: docs/content-inspection.md."""

import re

from oslo_utils.imageutils import format_inspector

BLOCK = 1 << 20

# Why the two differ on an image. Each entry must be of an image on which they do.
REASONS = {
    "grub-rescue.iso": "A hybrid, which boots from a CD and from a disk, is both. Here the claim decides among formats that "
    "all match, as long as each is safe.",
    "floppy.raw": "The same, sent as raw: whoever reads raw looks at no header.",
    "fixed.vhd": "A fixed VHD has its name at the end alone. Here the end is looked at, too.",
    "disk.ploop": "oslo.utils does not know the format, which is one of the Image API's.",
}


class Finding:
    """What was made of an image: whether it is taken as what its sender says, under which name, and with which size."""

    def __init__(self, is_taken, found, virtual_size):
        self.is_taken = is_taken
        self.found = found
        self.virtual_size = virtual_size

    def size_text(self, image):
        if not self.is_taken:
            return ""
        if self.virtual_size is None:
            return "none"
        if self.virtual_size == image.size:
            return "of the file"
        return "of the disk" if self.virtual_size == image.virtual_size else "wrong"

    def text(self, image):
        size = self.size_text(image)
        return f"{'taken' if self.is_taken else 'refused'}: {self.found}{f'; size {size}' if size else ''}"


def claim(image):
    """What a sender says: of a format that the service has no name for, that it is raw."""
    return image.disk_format if image.disk_format != "-" else "raw"


def by_oslo(image):
    """As an image service uses it: the whole stream passes through a wrapper, and what it found is held against the
    claim. What is in a container is not looked at."""
    if image.container_format != "bare":
        return Finding(True, "not looked at", None)
    with image.path.open("rb") as file:
        wrapper = format_inspector.InspectWrapper(file)
        while wrapper.read(BLOCK):
            pass
        wrapper.close()
    try:
        found = wrapper.format
    except format_inspector.ImageFormatError as error:
        names = sorted(re.sub(r".*: |\W*$", "", str(error)).split(","))
        return Finding(False, f"several formats ({', '.join(names)})", None)
    try:
        found.safety_check()
    except format_inspector.SafetyCheckFailed as error:
        return Finding(False, f"{found}, unsafe ({', '.join(sorted(error.failures))})", None)
    # A partition table is a raw image's own affair.
    matches = str(found) == claim(image) or (str(found), claim(image)) == ("gpt", "raw")
    return Finding(matches, str(found), found.virtual_size)


def by_service(session, url, image):
    """What an upload is answered, and what the record says then."""
    body = {"name": image.name, "disk_format": claim(image), "container_format": image.container_format}
    record = f"{url}/v2/images/{session.post(f'{url}/v2/images', json=body).json()['id']}"
    octets = {"Content-Type": "application/octet-stream"}
    with image.path.open("rb") as data:
        answer = session.put(f"{record}/file", data=data, headers=octets, timeout=60)
    shown = session.get(record).json()
    assert session.delete(record).status_code == 204
    if answer.status_code == 204:
        found = claim(image) if image.container_format == "bare" else "not looked at"
        return Finding(True, found, shown["virtual_size"])
    assert answer.status_code == 415, (image.name, answer.text)
    message = answer.json()["message"]
    reason = re.search(r"does not match stream data (\w+)|safety checks?:? ?(.*)", message)
    return Finding(False, (reason and (reason[1] or reason[2])) or message, None)


def rows(session, url, images):
    for image in images.values():
        ours, theirs = by_service(session, url, image), by_oslo(image)
        agree = ours.is_taken == theirs.is_taken and ours.size_text(image) == theirs.size_text(image)
        yield image, ours, theirs, agree


HEAD = """# What uploads are found to be

Data that is uploaded as `bare` is inspected while it streams in: it has to be what `disk_format` says, and to be safe;
otherwise the answer is 415 and nothing is kept. `virtual_size` is what its headers say.

## What is unsafe

Data that makes some reader open another file, or that no reader can be trusted with, is refused whatever it is sent as,
and whether data that is not what it is sent as is let pass (`require_image_format_match = false`) or not. What counts is
what the most generous reader makes of it; that is mostly QEMU, which finds out a file's format from its first 512 bytes,
and takes zeros for what lies behind its end. So these are refused however short they are:

- a qcow2 with a backing file, an external data file, an unknown feature or another version than 2 and 3; QED;
- a VMDK without a descriptor inside, or with one that is anything else than a plain one of `monolithicSparse` or
  `streamOptimized`: that names a parent, even in a comment or in the sectors behind, a path, or another extent than the
  file itself;
- a text that is a VMDK's descriptor alone: one that begins with `# Disk DescriptorFile`, however it is spaced, or one that
  QEMU takes for it, in which a line `version=1` (or 2, or 3) comes first, but for comments and lines of blanks, and ends
  within 512 bytes. A text that merely begins with `#` is raw data like any other. But who is told that a text is a VMDK
  looks at none of this: sent as `vmdk`, every text is refused that has a `createType` in its first mebibyte;
- a VHD, VHDX or VDI that stands on another disk, whether the footer of a VHD says so or the copy of it that leads; a VHDX
  whose two region tables differ, or that has a metadata item twice or unusually far behind.

A beginning that is shorter than its format's header and names nothing is raw data. A boot sector's partition table must
be a possible one in a raw disk and in a fixed VHD (`gpt_safety_checks_nonfatal` lets it pass).

## Real images

Below is what becomes of {count} images that real tools made (`Tests/Backends/images.sh`), here and by the inspector of
oslo.utils {version}, which Glance uses: as its upload does, with the whole stream, and a claim that has to match. They
agree on {agreements}.

The page is written by `pytest Tests/System/test_inspection_table.py --update-golden`, and a test keeps it true.

### Where they differ

| Image | What it is | Sent as | Here | oslo.utils | Why |
|---|---|---|---|---|---|
"""

AGREEMENTS = """
### Where they agree

The size is the one that is told for the disk (QEMU's word for it) or the length of the file, where that is the disk.

| Image | What it is | Sent as | Both |
|---|---|---|---|
"""


def page(findings, version):
    findings = list(findings)
    differ = [finding for finding in findings if not finding[3]]
    agree = [finding for finding in findings if finding[3]]
    lines = [HEAD.format(count=len(findings), version=version, agreements=len(agree))]
    for image, ours, theirs, _ in differ:
        cells = [f"`{image.name}`", image.why, claim(image), ours.text(image), theirs.text(image)]
        lines.append(f"| {' | '.join(cells)} | {REASONS.get(image.name, '')} |\n")
    lines.append(AGREEMENTS)
    for image, ours, _, _ in agree:
        size = ours.size_text(image)
        verdict = f"taken, size {size}" if ours.is_taken else "refused"
        lines.append(f"| `{image.name}` | {image.why} | {claim(image)} | {verdict} |\n")
    return "".join(lines)
