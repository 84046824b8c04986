"""Random operations by many threads through two APIs: what everybody was told has one explanation, and it is what is
there at the end."""

import os
import re
import secrets
import time

import pytest

import databases
from audit import assert_accounted, rows
from histories import UNKNOWN, ImageHistory, Look, Transfer
from random_operations import USERS, Work, Worker
from services import Registry, wait_until

WORKERS = 8
SECONDS = float(os.environ.get("GLANCE_TEST_SECONDS", 10))
# How many registries, over which database.
SHAPES = [
    pytest.param(1, "sqlite", id="sqlite-1-registry"),
    pytest.param(
        2,
        "postgresql",
        id="postgresql-2-registries",
        marks=pytest.mark.skipif(not databases.POSTGRESQL, reason="GLANCE_TEST_POSTGRESQL names no database"),
    ),
]


def start(deployments, registries, kind):
    deployment = deployments.prepare(auth="trusted_headers")
    deployment.users.update({user.name: user for user in USERS})
    deployment.database = {"sqlite": databases.SQLite, "postgresql": databases.PostgreSQL}[kind](deployment.directory)
    for number in range(1, registries):
        registry = Registry(deployment, name=f"registry-{number + 1}")
        deployment.registries.append(registry)
        deployment.programs.insert(0, registry)
    deployment.start()
    for registry in deployment.registries[1:]:
        deployment.start_program(registry)
    deployment.add_api()
    return deployment


@pytest.mark.parametrize(("registries", "kind"), SHAPES)
def test_what_everybody_was_told_has_one_explanation(deployments, registries, kind):
    seed = int(os.environ.get("GLANCE_TEST_SEED", secrets.randbits(32)))
    print(f"GLANCE_TEST_SEED={seed}")
    deployment = start(deployments, registries, kind)
    urls = [program.url for program in deployment.programs if program.name == "glance-api"]
    work = Work(seed, urls)
    workers = [Worker(work, n, {user.name: deployment.session(user.name) for user in USERS}) for n in range(WORKERS)]
    for worker in workers:
        worker.start()
    end = time.monotonic() + SECONDS
    kills = 0
    try:
        while time.monotonic() < end and not work.problems:
            work.is_over.wait(work.random.uniform(1, 3))
            if registries > 1:
                # The same each time, so that there is always one that can do its work: nobody is told anything.
                deployment.registries[-1].kill()
                kills += 1
                time.sleep(work.random.uniform(0.1, 1))
                deployment.restart(deployment.registries[-1])
    finally:
        work.is_over.set()
        for worker in workers:
            worker.join(120)
    images = list(work.world.images.values())
    print(f"{work.operations} operations, {sum(len(i.looks) for i in images)} looks at {len(images)} images, {kills} kills")
    if work.problems:
        # What a failure of the services' own was about.
        for program in deployment.programs:
            errors = [line for line in program.log.splitlines() if re.search(r"\b(error|critical)\b", line, re.I)]
            print(program.log_file.name, *errors[-5:], sep="\n")
    assert work.problems == []
    assert work.lost == []
    settle(deployment, work, urls)
    assert work.world.problems() == []
    compare_with_the_database(deployment, images)
    assert_accounted(deployment, seconds=90)


def settle(deployment, work, urls):
    """A last look through each of the APIs, which have to tell the same."""
    for image in work.world.images.values():
        session = deployment.session(image.owner)

        def shown(path=""):
            began = time.monotonic()
            answers = [session.get(f"{url}/v2/images/{image.id}{path}", timeout=30) for url in urls]
            return began, answers

        # Clients that went away have left uploads behind, which end soon.
        wait_until(lambda: shown()[1][0].json().get("status") != "saving", 90)
        began, answers = shown()
        assert answers[0].text == answers[1].text
        record = answers[0].json() if answers[0].status_code == 200 else None
        image.looks.append(Look(began, time.monotonic(), image.owner, answers[0].status_code, record))
        if record is None:
            continue
        count = int(record["count"])
        assert image.counted <= count <= image.counted + image.uncounted, (image.id, count, image.counted, image.uncounted)
        if record["visibility"] == "shared":
            began, answers = shown("/members")
            assert answers[0].text == answers[1].text
            members = {member["member_id"]: member["status"] for member in answers[0].json()["members"]}
            for name in [name for name in image.registers if name.startswith("member ")]:
                facts = {name: {members.get(name.removeprefix("member "))}}
                image.claims.append((facts, began, time.monotonic(), f"{members} are members at the end"))
        if record["status"] == "active":
            began, answers = shown("/file")
            for answer in answers:
                image.downloads.append((began, time.monotonic(), answer.content, answer.headers["Content-MD5"]))


def compare_with_the_database(deployment, images):
    """Every id that was given is there once for ever, and of a deleted image nothing else."""
    now = time.monotonic()
    known = [row[0] for row in rows(deployment, "SELECT id FROM images")]
    assert len(known) == len(set(known))
    certain = {image.id for image in images if image.creations["made"]}
    possible = certain | {image.id for image in images if image.creations["lost"]}
    assert certain <= set(known)
    assert set(known) <= possible
    there = {row[0] for row in rows(deployment, "SELECT id FROM images WHERE deleted_at IS NULL")}
    for image in images:
        assert (image.id in there) in image.possible("exists", now, UNKNOWN), image.id
    for table in ("image_properties", "image_tags", "image_members"):
        orphans = {row[0] for row in rows(deployment, f"SELECT DISTINCT image_id FROM {table}")} - there
        assert orphans == set(), f"{table} speaks of deleted images"


# --- the checker --------------------------------------------------------------------------------------------------------

ID = "00000000-0000-4000-8000-000000000000"
RECORD = {"visibility": "shared", "protected": False, "left": "a", "right": "a", "tags": [], "status": "queued"}


def history():
    """An image that was made from 1 to 2, and whose tag was set from 3 to 4."""
    image = ImageHistory(ID, "demo")
    facts = {"exists": True, "visibility": "shared", "protected": False, "left": "a", "extra": None, "member guest-1": None}
    image.write(facts | {"tag red": False, "tag green": False, "tag blue": False}, 1, 2)
    image.creations["made"] += 1
    image.write({"tag red": True}, 3, 4)
    return image


def look(image, start, end, who="demo", **changed):
    image.looks.append(Look(start, end, who, 200, {**RECORD, **changed}))


def miss(image, start, end, who="demo"):
    image.looks.append(Look(start, end, who, 404, None))


def uploaded(image, data=b"data", outcome="done"):
    transfer = Transfer("file", data, 5, 6, outcome)
    image.transfers.append(transfer)
    checksum, value, size = transfer.checksums
    return {"checksum": checksum, "os_hash_value": value, "size": size, "tags": ["red"]}


HISTORIES = {
    "before and after": (lambda i: (look(i, 2, 3), look(i, 5, 6, tags=["red"])), None),
    "either while it is set": (lambda i: (look(i, 3.2, 3.4), look(i, 3.2, 3.4, tags=["red"])), None),
    "a lost tag": (lambda i: look(i, 5, 6), "tag red is False"),
    "a tag too early": (lambda i: look(i, 2.1, 2.2, tags=["red"]), "tag red is True"),
    "a change undone": (
        lambda i: (i.write({"left": "b"}, 3, 4), look(i, 5, 6, tags=["red"])), "left is a",
    ),
    "a change seen and then not": (
        lambda i: (
            i.write({"left": "b"}, 3, UNKNOWN),
            look(i, 5, 6, left="b", right="b", tags=["red"]),
            look(i, 7, 8, tags=["red"]),
        ),
        "left is a",
    ),
    "half of a change": (lambda i: (i.write({"left": "b"}, 3, 9), look(i, 5, 6, left="b", tags=["red"])), "half of a change"),
    "deleted and there": (lambda i: (i.write({"exists": False}, 5, 6), look(i, 7, 8, tags=["red"])), "is found"),
    "not there": (lambda i: miss(i, 5, 6), "is not found"),
    "shown to a stranger": (lambda i: look(i, 5, 6, "guest-1", tags=["red"]), "is found"),
    "hidden from a member": (lambda i: (i.write({"member guest-1": "pending"}, 5, 6), miss(i, 7, 8, "guest-1")), "is not found"),
    "made twice": (lambda i: i.creations.update(["made"]), "was created 2 times"),
    "two uploads": (lambda i: (uploaded(i), uploaded(i)), "2 transfers"),
    "an upload forgotten": (lambda i: (uploaded(i), look(i, 7, 8, tags=["red"])), "is queued after its data"),
    "data of another": (
        lambda i: (uploaded(i), look(i, 7, 8, status="active", **(uploaded(i, b"x", "refused")))), "data that nobody uploaded",
    ),
    "its own data": (lambda i: look(i, 7, 8, status="active", **uploaded(i)), None),
    "back to queued": (
        lambda i: (look(i, 7, 8, status="active", **uploaded(i, outcome="lost")), look(i, 9, 9.1, tags=["red"])),
        "is queued after it was active",
    ),
    "refused for nothing": (lambda i: uploaded(i, outcome="refused"), "data was refused"),
    "not listed": (lambda i: i.absences.append(("red", 5, 6)), "not listed"),
    "wrong bytes": (lambda i: (uploaded(i), i.downloads.append((7, 8, b"else", "x"))), "nobody's"),
    "a wrong refusal": (lambda i: i.claims.append(({"protected": {True}}, 5, 6, "was refused")), "was refused in"),
}  # fmt: skip


@pytest.mark.parametrize("case", HISTORIES)
def test_a_history_that_nothing_explains_is_found(case):
    happen, problem = HISTORIES[case]
    image = history()
    happen(image)
    found = image.problems()
    assert (found == []) if problem is None else (len(found) >= 1 and problem in found[0]), found
