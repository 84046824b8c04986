"""What many clients did to images and saw of them, and whether any one order of it all explains what each was told.

Every change and every look has the interval in which it took place. A fact of an image (a tag, a member, a property) is
a register: a look may see what a change wrote that had begun when the look ended, unless another change, begun after
that one was acknowledged, had been acknowledged before the look began. A change whose answer was lost may have taken
place at any time since it began, or never.
"""

import collections
import dataclasses
import hashlib
import math

NEVER = -math.inf
UNKNOWN = math.inf
TAGS = ("red", "green", "blue")
PROJECTS = ("guest-1", "guest-2")
OPEN = {"public", "community"}
# Once in one of these, an image stays in them until it is deleted.
USABLE = {"active", "deactivated"}


@dataclasses.dataclass
class Write:
    value: object
    start: float
    end: float

    @property
    def is_sure(self):
        return self.end != UNKNOWN


class Register:
    """One fact and its values over time."""

    def __init__(self):
        self.writes = []

    def write(self, value, start, end):
        self.writes.append(Write(value, start, end))

    def saw(self, value, end):
        """A value that only one change wrote was written by the time it was seen."""
        for write in self.writes:
            if write.value == value:
                write.end = min(write.end, end)

    def possible(self, start, end):
        """What a look in this interval may see."""
        sure = [write for write in self.writes if write.end < start]
        last = max((write.start for write in sure), default=NEVER)
        return {write.value for write in self.writes if write.start <= end and not write.end < last}


@dataclasses.dataclass
class Transfer:
    """An upload, or a staging, of these bytes. `outcome`: done, refused, lost (nobody told), or cut (never sent whole)."""

    kind: str
    data: bytes
    start: float
    end: float
    outcome: str

    @property
    def checksums(self):
        return hashlib.md5(self.data).hexdigest(), hashlib.sha512(self.data).hexdigest(), len(self.data)


@dataclasses.dataclass
class Look:
    start: float
    end: float
    who: str
    status: int
    # The image's record, or None.
    record: dict | None


class ImageHistory:
    def __init__(self, image_id, owner):
        self.id = image_id
        self.owner = owner
        self.registers = collections.defaultdict(Register)
        self.registers["exists"].write(False, NEVER, NEVER)
        self.registers["inactive"].write(False, NEVER, NEVER)
        self.registers["data"].write(False, NEVER, NEVER)
        self.looks = []
        # (values by fact, start, end, why): one of the facts has to have had one of its values at some time in between.
        self.claims = []
        self.transfers = []
        # (start, end, bytes, the checksum that came with them).
        self.downloads = []
        # Changes of `count` on condition that nothing else had changed: how many were acknowledged, how many nobody told of.
        self.counted = self.uncounted = 0
        self.creations = collections.Counter()
        # (tag, start, end) of lists of that tag in which it was not.
        self.absences = []

    def possible(self, name, start, end):
        return self.registers[name].possible(start, end)

    def write(self, facts, start, end):
        for name, value in facts.items():
            self.registers[name].write(value, start, end)

    def may_see(self, project, start, end):
        """Whether somebody of another project may find the image, and whether they may be told that there is none."""
        kinds = self.possible("visibility", start, end)
        there = self.possible("exists", start, end)
        members = {value is not None for value in self.possible("member " + project, start, end)}
        may = True in there and bool(kinds & OPEN or ("shared" in kinds and True in members))
        may_not = False in there or "private" in kinds or ("shared" in kinds and False in members)
        return may, may_not

    # --- checking -------------------------------------------------------------------------------------------------

    def problems(self):
        found = []
        made, lost = self.creations["made"], self.creations["lost"]
        if made > 1 or (not made and not lost and self.creations["taken"]):
            found.append(f"was created {made} times, and {self.creations['taken']} were told that it is taken")
        done = [transfer for transfer in self.transfers if transfer.outcome == "done"]
        if len(done) > 1:
            found.append(f"{len(done)} transfers of data were acknowledged")
        for look in self.looks:
            if look.record:
                for name in ("left", "extra"):
                    if look.record.get(name):
                        self.registers[name].saw(look.record[name], look.end)
        for look in self.looks:
            found += self.problems_of(look)
        for start, end, data, checksum in self.downloads:
            if hashlib.md5(data).hexdigest() != checksum or data not in [t.data for t in self.candidates(end)]:
                found.append(f"{len(data)} bytes of nobody's were downloaded, at {end:.4f}")
        for tag, start, end in self.absences:
            if self.possible("exists", start, end) == {True} == self.possible("tag " + tag, start, end):
                found.append(f"is not listed by its tag {tag}, in {start:.4f}…{end:.4f}")
        for facts, start, end, why in self.claims:
            if not any(self.possible(name, start, end) & values for name, values in facts.items()):
                possible = {name: self.possible(name, start, end) for name in facts}
                found.append(f"{why} in {start:.4f}…{end:.4f}, but there was only {possible}")
        found += [f"data was refused in {t.start:.4f}…{t.end:.4f}" for t in self.transfers if not self.may_refuse(t)]
        return [f"{self.id}: {problem}" for problem in found + self.status_problems()]

    def may_refuse(self, transfer):
        """Only for the sake of another one, or because the image is gone."""
        if transfer.outcome != "refused" or False in self.possible("exists", transfer.start, transfer.end):
            return True
        others = [other for other in self.transfers if other is not transfer and other.start <= transfer.end]
        return any(other.outcome != "refused" or other.end >= transfer.start for other in others)

    def problems_of(self, look):
        at = f"seen by {look.who} in {look.start:.4f}…{look.end:.4f}"
        if look.who in PROJECTS:
            may, may_not = self.may_see(look.who, look.start, look.end)
        else:
            may, may_not = (value in self.possible("exists", look.start, look.end) for value in (True, False))
        if look.record is None:
            return [] if may_not else [f"is not found, {at}"]
        if not may:
            return [f"is found, {at}"]
        found = []
        record = look.record
        if record.get("left") != record.get("right"):
            found.append(f"half of a change is {at}: {record.get('left')} and {record.get('right')}")
        for name, value in self.facts_of(record).items():
            if value not in self.possible(name, look.start, look.end):
                found.append(f"{name} is {value}, not one of {self.possible(name, look.start, look.end)}, {at}")
        problem = self.problem_of_status(record, look.start, look.end)
        return found + ([f"{problem}, {at}"] if problem else [])

    @staticmethod
    def facts_of(record):
        facts = {name: record[name] for name in ("visibility", "protected")}
        facts |= {name: record.get(name) for name in ("left", "extra")}
        return facts | {"tag " + tag: tag in record["tags"] for tag in TAGS}

    def problem_of_status(self, record, start, end):
        status = record["status"]
        whole = [t for t in self.transfers if t.outcome == "done" and t.end < start]
        under_way = [t for t in self.transfers if t.start <= end and (t.end >= start or t.outcome in ("lost", "cut"))]
        if status in USABLE:
            if (status == "deactivated") not in self.possible("inactive", start, end):
                return f"is {status}"
            seen = (record["checksum"], record["os_hash_value"], record["size"])
            if not any(seen == t.checksums for t in self.candidates(end)):
                return "tells of data that nobody uploaded"
            return None
        if status == "uploading":
            staged = [t for t in self.transfers if t.kind == "stage" and t.start <= end and t in under_way + whole]
            return None if staged else "is uploading, and nobody stages"
        if whole:
            return f"is {status} after its data was acknowledged"
        if status == "saving" and not any(t.kind == "file" for t in under_way):
            return "is saving, and nobody uploads"
        return None if status in ("queued", "saving") else f"is {status}"

    def candidates(self, end):
        """Uploads that may have been the one."""
        return [t for t in self.transfers if t.kind == "file" and t.outcome in ("done", "lost") and t.start <= end]

    def status_problems(self):
        """A status seen after another must be one that can follow it."""
        found = []
        looks = sorted((look for look in self.looks if look.record), key=lambda look: look.end)
        settled = UNKNOWN
        for look in looks:
            if look.start > settled and look.record["status"] not in USABLE:
                found.append(f"is {look.record['status']} after it was active, at {look.start:.4f}")
            if look.record["status"] in USABLE:
                settled = min(settled, look.end)
        return found


class World:
    """The histories of all images, which many threads write. Appending to a list needs no lock."""

    def __init__(self):
        self.images = {}

    def image(self, image_id, owner):
        return self.images.setdefault(image_id, ImageHistory(image_id, owner))

    def problems(self):
        return [problem for image in list(self.images.values()) for problem in image.problems()]
