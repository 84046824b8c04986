"""A thread that does random things to the images of all such threads, and writes down what it was told."""

import random
import secrets
import threading
import time
import uuid

import requests

from histories import PROJECTS, TAGS, UNKNOWN, Look, Transfer, World
from services import User

PATCH = {"Content-Type": "application/openstack-images-v2.1-json-patch"}
BYTES = {"Content-Type": "application/octet-stream"}
OWNERS = ("demo", "other")
USERS = [User(name, name, "member,reader") for name in (*OWNERS, *PROJECTS)]
# What a refusal claims: that one of these facts was so.
GONE = {"exists": {False}}
NOT_SHARED = {"visibility": {"private", "community"}}
SIZES = (0, 1, 4_096, 70_000, 600_000)


class Lost(Exception):
    """Nobody told what came of the request."""


def owner_of(image_id):
    """Who creates the image of that id, and changes it."""
    return OWNERS[int(image_id[0], 16) % len(OWNERS)]


class Work:
    """What the threads share: the images, the ids that two of them try to take, and what came of it all."""

    def __init__(self, seed, urls):
        self.urls = urls
        self.seed = seed
        self.world = World()
        self.random = random.Random(f"{seed} ids")
        self.lock = threading.Lock()
        self.contested = []
        self.recent = []
        self.operations = 0
        # Answers that were not expected, and those that were none though the client waited for them.
        self.problems = []
        self.lost = []
        self.is_over = threading.Event()

    def new_id(self):
        """Often one that is taken; each new one is given out twice, and of two who use it only one may get it."""
        with self.lock:
            if self.recent and self.random.random() < 0.2:
                return self.random.choice(self.recent)
            if not self.contested:
                self.contested = [str(uuid.UUID(int=self.random.getrandbits(128), version=4))] * 2
            return self.contested.pop()


class Worker(threading.Thread):
    def __init__(self, work, number, sessions):
        super().__init__(name=f"worker-{number}")
        self.work = work
        self.random = random.Random(f"{work.seed} {number}")
        self.sessions = sessions
        self.image = None

    def run(self):
        while not self.work.is_over.is_set():
            try:
                self.step()
            except Lost:
                pass
            except Exception as problem:
                self.work.problems.append(f"{type(problem).__name__}: {problem}")

    # --- asking ---------------------------------------------------------------------------------------------------

    def ask(self, who, method, path, patience=60, **arguments):
        """Through either API: the answer, and the interval. A client without patience goes away before the answer."""
        session = self.sessions[who]
        start = time.monotonic()
        try:
            url = self.random.choice(self.work.urls) + "/v2/images" + path
            answer = session.request(method, url, timeout=(30, patience), **arguments)
        except (requests.RequestException, ConnectionError) as error:
            if patience == 60:
                self.work.lost.append(f"{method} {path}: {type(error).__name__}")
            raise Lost(start) from None
        if answer.status_code in (502, 503, 504):
            self.work.lost.append(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
            raise Lost(start)
        with self.work.lock:
            self.work.operations += 1
        return answer, start, time.monotonic()

    def change(self, facts, method, path="", done=(200, 204), refused=None, **arguments):
        """A change by the owner that sets `facts`. `refused`: by status, what a refusal claims, if anything."""
        image = self.image
        patience = 0.02 if self.random.random() < 0.03 else 60
        begun = time.monotonic()
        try:
            answer, start, end = self.ask(image.owner, method, f"/{image.id}{path}", patience, **arguments)
        except Lost:
            image.write(facts, begun, UNKNOWN)
            raise
        if answer.status_code in done:
            image.write(facts, start, end)
            self.claim({"exists": {True}}, start, end, f"{method} {path} was done")
        else:
            self.refusal(answer, {404: GONE, **(refused or {})}, start, end)
        return answer.status_code

    def refusal(self, answer, refused, start, end):
        request = f"{answer.request.method} {answer.request.path_url}"
        if answer.status_code not in refused:
            raise AssertionError(f"{request}: {answer.status_code} {answer.text[:300]}")
        self.claim(refused[answer.status_code], start, end, f"{request} was answered {answer.status_code}")

    def claim(self, facts, start, end, why):
        if facts:
            self.image.claims.append((facts, start, end, why))

    # --- what is done -----------------------------------------------------------------------------------------------

    def step(self):
        kinds = {
            self.create: 12, self.show: 22, self.show_to_guest: 14, self.list: 4, self.patch: 14, self.count: 7,
            self.tag: 9, self.untag: 6, self.add_member: 8, self.answer_member: 5, self.remove_member: 4,
            self.show_members: 6, self.upload: 9, self.stage: 1, self.download: 8, self.set_active: 7, self.delete: 6,
        }  # fmt: skip
        kind = self.random.choices(list(kinds), list(kinds.values()))[0]
        recent = self.work.recent
        if kind != self.create:
            if not recent:
                return
            latest = -8 if self.random.random() < 0.9 else -40
            image_id = self.random.choice(recent[latest:])
            self.image = self.work.world.image(image_id, owner_of(image_id))
        kind()

    def create(self):
        image_id = self.work.new_id()
        self.image = self.work.world.image(image_id, owner_of(image_id))
        value = secrets.token_hex(4)
        tags = self.random.sample(TAGS, self.random.randrange(3))
        visibility = self.random.choice(["shared", "shared", "private", "community"])
        # In one of four the service chooses the id.
        is_own = self.random.random() < 0.75
        body = {"left": value, "right": value, "count": "0", "tags": tags, "visibility": visibility}
        body |= {"disk_format": "raw", "container_format": "bare"} | ({"id": image_id} if is_own else {})
        facts = {"exists": True, "visibility": visibility, "protected": False, "left": value, "extra": None}
        facts |= {"tag " + tag: tag in tags for tag in TAGS} | {"member " + project: None for project in PROJECTS}
        begun = time.monotonic()
        try:
            answer, start, end = self.ask(self.image.owner, "POST", "", json=body)
        except Lost:
            if is_own:
                self.image.write(facts, begun, UNKNOWN)
                self.image.creations["lost"] += 1
            raise
        if answer.status_code == 201:
            record = answer.json()
            if not is_own:
                # It belongs to who made it.
                self.image = self.work.world.image(record["id"], self.image.owner)
            self.image.write(facts, start, end)
            self.image.creations["made"] += 1
            self.image.looks.append(Look(end, end, self.image.owner, 201, record))
            self.work.recent.append(record["id"])
        else:
            # Also of an image that is deleted.
            self.refusal(answer, {409: {}}, start, end)
            self.image.creations["taken"] += 1

    def show(self, who=None):
        who = who or self.image.owner
        answer, start, end = self.ask(who, "GET", f"/{self.image.id}")
        if answer.status_code not in (200, 404):
            self.refusal(answer, {}, start, end)
        record = answer.json() if answer.status_code == 200 else None
        self.image.looks.append(Look(start, end, who, answer.status_code, record))
        return answer

    def show_to_guest(self):
        self.show(self.random.choice(PROJECTS))

    def list(self):
        """Every image that has the tag is listed, and nothing else."""
        tag = self.random.choice(TAGS)
        owner = self.image.owner
        answer, start, end = self.ask(owner, "GET", f"?tag={tag}&owner={owner}&limit=1000")
        if answer.status_code != 200:
            self.refusal(answer, {}, start, end)
        listed = {record["id"]: record for record in answer.json()["images"]}
        for image_id, record in listed.items():
            self.image = self.work.world.image(image_id, owner)
            self.image.looks.append(Look(start, end, owner, 200, record))
        for image in list(self.work.world.images.values()):
            if image.owner == owner and image.id not in listed:
                image.absences.append((tag, start, end))

    def patch(self):
        """Several facts in one change."""
        value = secrets.token_hex(4)
        facts, operations, refused = {}, [], {}

        def put(path, new):
            operations.append({"op": "add", "path": path, "value": new})

        if self.random.random() < 0.7:
            put("/left", value)
            put("/right", value)
            facts["left"] = value
        if self.random.random() < 0.3:
            tags = self.random.sample(TAGS, self.random.randrange(4))
            put("/tags", tags)
            facts |= {"tag " + tag: tag in tags for tag in TAGS}
        if self.random.random() < 0.3:
            facts["visibility"] = self.random.choice(["shared", "shared", "private", "community"])
            put("/visibility", facts["visibility"])
        if self.random.random() < 0.2:
            facts["protected"] = self.random.random() < 0.3
            put("/protected", facts["protected"])
        if self.random.random() < 0.3 or not operations:
            if self.random.random() < 0.5:
                facts["extra"] = value
                put("/extra", value)
            else:
                facts["extra"] = None
                operations.append({"op": "remove", "path": "/extra"})
                refused[409] = {"extra": {None}}
        self.change(facts, "PATCH", json=operations, headers=PATCH, refused=refused)

    def count(self):
        """On condition that nothing has changed since: no count is lost and none is counted twice."""
        image = self.image
        seen = self.show()
        if seen.status_code != 200:
            return
        change = [{"op": "replace", "path": "/count", "value": str(int(seen.json()["count"]) + 1)}]
        headers = {**PATCH, "If-Match": seen.headers["ETag"]}
        try:
            status = self.change({}, "PATCH", json=change, headers=headers, refused={412: {}})
        except Lost:
            image.uncounted += 1
            raise
        image.counted += status == 200

    def tag(self):
        tag = self.random.choice(TAGS)
        self.change({"tag " + tag: True}, "PUT", f"/tags/{tag}")

    def untag(self):
        tag = self.random.choice(TAGS)
        refused = {404: {"tag " + tag: {False}, **GONE}}
        self.change({"tag " + tag: False}, "DELETE", f"/tags/{tag}", refused=refused)

    def add_member(self):
        project = self.random.choice(PROJECTS)
        refused = {403: NOT_SHARED, 409: {"member " + project: {"pending", "accepted", "rejected"}}}
        self.change({"member " + project: "pending"}, "POST", "/members", json={"member": project}, refused=refused)

    def answer_member(self):
        """By the member. Not found: no image, none of theirs, or no membership."""
        project = self.random.choice(PROJECTS)
        status = self.random.choice(["accepted", "rejected", "pending"])
        image = self.image
        begun = time.monotonic()
        fact = {"member " + project: status}
        try:
            answer, start, end = self.ask(project, "PUT", f"/{image.id}/members/{project}", json={"status": status})
        except Lost:
            image.write(fact, begun, UNKNOWN)
            raise
        if answer.status_code == 200:
            image.write(fact, start, end)
        else:
            hidden = {"member " + project: {None}, "visibility": {"private"}, **GONE}
            self.refusal(answer, {404: hidden, 403: NOT_SHARED}, start, end)

    def remove_member(self):
        project = self.random.choice(PROJECTS)
        refused = {403: NOT_SHARED, 404: {"member " + project: {None}, **GONE}}
        self.change({"member " + project: None}, "DELETE", f"/members/{project}", refused=refused)

    def show_members(self):
        image = self.image
        answer, start, end = self.ask(image.owner, "GET", f"/{image.id}/members")
        if answer.status_code != 200:
            refused = {404: GONE, 403: NOT_SHARED}
            return self.refusal(answer, refused, start, end)
        members = {member["member_id"]: member["status"] for member in answer.json()["members"]}
        for project in PROJECTS:
            self.claim({"member " + project: {members.get(project)}}, start, end, f"{members} were shown")

    def upload(self, kind="file"):
        image = self.image
        data = secrets.token_bytes(self.random.choice(SIZES))
        is_cut = self.random.random() < 0.1
        transfer = Transfer(kind, data, time.monotonic(), UNKNOWN, "cut" if is_cut else "lost")
        # Before the answer: others see the bytes while this one still waits.
        image.transfers.append(transfer)
        body = self.broken(data) if is_cut else data
        try:
            answer, start, end = self.ask(image.owner, "PUT", f"/{image.id}/{kind}", 30 if is_cut else 60, data=body, headers=BYTES)
        except Lost:
            if kind == "file" and not is_cut:
                image.write({"data": True}, transfer.start, UNKNOWN)
            raise
        transfer.end = end
        if answer.status_code == 204:
            transfer.outcome = "done"
            if kind == "file":
                image.write({"data": True}, start, end)
        else:
            transfer.outcome = "refused"
            # Another came before, or the image was deleted meanwhile: the history says which.
            self.refusal(answer, {404: GONE, 409: {}, 410: {}}, start, end)

    @staticmethod
    def broken(data):
        """A client that goes away before the end."""
        yield data or b"x"
        raise ConnectionError

    def stage(self):
        self.upload("stage")

    def download(self):
        image = self.image
        answer, start, end = self.ask(image.owner, "GET", f"/{image.id}/file")
        if answer.status_code == 200:
            image.downloads.append((start, end, answer.content, answer.headers["Content-MD5"]))
            self.claim({"inactive": {False}}, start, end, "was downloaded")
            self.claim({"data": {True}}, start, end, "was downloaded")
        else:
            # Nothing where there is no data yet, or none any more: it goes while the image is being deleted.
            refused = {404: GONE, 403: {"inactive": {True}}, 204: {"data": {False}, **GONE}}
            self.refusal(answer, refused, start, end)

    def set_active(self):
        verb, value = self.random.choice([("deactivate", True), ("reactivate", False)])
        self.change({"inactive": value}, "POST", f"/actions/{verb}", refused={403: {"data": {False}}})

    def delete(self):
        self.change({"exists": False}, "DELETE", refused={403: {"protected": {True}}})
