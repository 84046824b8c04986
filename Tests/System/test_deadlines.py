"""A write that was answered with 503 is not applied later: locks of others, and a registry that stood still."""

import pathlib
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import threading
import time
import uuid

import pytest

import databases
from services import Deployment, wait_until

PATCH = {"Content-Type": "application/openstack-images-v2.1-json-patch"}


class Blocked(Deployment):
    """A deployment whose writes can be kept waiting from outside."""

    def __init__(self, kind=databases.SQLite):
        super().__init__(pathlib.Path(tempfile.mkdtemp(prefix="glance-")), auth="noauth")
        self.database = kind(self.directory)

    def prepare(self):
        self.start()
        self.images = [self.session().post(f"{self.url}/v2/images", json={"name": "before"}).json()["id"] for _ in range(3)]
        self.new = str(uuid.uuid4())
        self.before = self.state()
        return self

    def state(self):
        """All records, as the database has them."""
        return sorted(tuple(map(str, row)) for row in self.database.rows("SELECT id, name, status, revision FROM images"))

    def writes(self):
        """Every kind of write of a record: (method, path, arguments)."""
        renamed, deleted, uploaded = self.images
        change = [{"op": "replace", "path": "/name", "value": "after"}]
        return [
            ("POST", "", {"json": {"id": self.new, "name": "after"}}),
            ("PATCH", f"/{renamed}", {"json": change, "headers": PATCH}),
            ("DELETE", f"/{deleted}", {}),
            ("PUT", f"/{uploaded}/tags/after", {}),
        ]

    def ask(self, method, path, **arguments):
        return self.session().request(method, f"{self.url}/v2/images{path}", timeout=90, **arguments)


class HeldByALock(Blocked):
    """SQLite's one lock for writers is held by another process."""

    def block(self):
        self.other = sqlite3.connect(self.database.path, isolation_level=None, timeout=30)
        self.other.execute("BEGIN IMMEDIATE")

    def unblock(self):
        self.other.execute("ROLLBACK")
        self.other.close()


class HeldByATableLock(Blocked):
    """A session of somebody else has locked the images against writers, or against everybody."""

    def __init__(self, mode="EXCLUSIVE"):
        super().__init__(databases.PostgreSQL)
        self.mode = mode

    def block(self):
        command = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", self.database.url]
        pipe = subprocess.PIPE
        self.other = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
        self.other.stdin.write(f"BEGIN; LOCK TABLE images IN {self.mode} MODE; SELECT 'held';\n")
        self.other.stdin.flush()
        assert self.other.stdout.readline().strip() == "held"

    def unblock(self):
        self.other.stdin.write("ROLLBACK;\n")
        self.other.stdin.close()
        assert self.other.wait(30) == 0


class Stopped(Blocked):
    """The registry's process stands still. What it was asked meanwhile lies in its sockets when it goes on."""

    def block(self):
        self.registry.send(signal.SIGSTOP)

    def unblock(self):
        self.registry.send(signal.SIGCONT)

    def writes(self):
        # The others read first, and that does not come back either.
        return super().writes()[:1] * 3


@pytest.fixture
def blocked():
    kinds = [HeldByALock, Stopped] + ([HeldByATableLock] if databases.POSTGRESQL else [])
    deployments = []
    try:
        for kind in kinds:
            deployments.append(kind())
            deployments[-1].prepare()
        yield deployments
    finally:
        for deployment in deployments:
            deployment.stop()
            shutil.rmtree(deployment.directory)


def test_a_write_that_was_answered_with_503_is_not_applied_when_what_held_it_is_gone(blocked):
    answers = []

    def ask(deployment, method, path, arguments):
        begun = time.monotonic()
        answer = deployment.ask(method, path, **arguments)
        answers.append((type(deployment).__name__, method, answer, time.monotonic() - begun))

    for deployment in blocked:
        deployment.block()
    # All at once: each takes the API's whole patience.
    threads = [threading.Thread(target=ask, args=(d, *write)) for d in blocked for write in d.writes()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    for deployment in blocked:
        deployment.unblock()
    assert len(answers) == len(threads)
    for kind, method, answer, seconds in answers:
        assert answer.status_code == 503, (kind, method, answer.text)
        assert answer.headers["Retry-After"], (kind, method)
        assert seconds > 15, (kind, method, "it was given up early: nothing was proven")
    for deployment in blocked:
        # Whatever waited in the registry is over when it does later work, and has answered what came meanwhile.
        assert wait_until(lambda: deployment.ask("POST", "", json={"name": "later"}).status_code == 201, 60)
        later = [row for row in deployment.state() if row[1] == "later"]
        assert deployment.state() == sorted(deployment.before + later), type(deployment).__name__
        # And what was refused can be done now.
        for method, path, arguments in deployment.writes()[:1]:
            assert deployment.ask(method, path, **arguments).status_code == 201


@pytest.mark.skipif(not databases.POSTGRESQL, reason="GLANCE_TEST_POSTGRESQL names no database")
def test_reads_that_wait_for_a_lock_are_told_to_come_back_and_not_to_ask_for_less():
    deployment = HeldByATableLock("ACCESS EXCLUSIVE")
    try:
        deployment.prepare()
        deployment.block()
        paths = ["", "?sort_key=size&sort_dir=asc", f"/{deployment.images[0]}"]
        answers = []
        threads = [threading.Thread(target=lambda path=path: answers.append(deployment.ask("GET", path))) for path in paths]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        deployment.unblock()
        assert len(answers) == len(paths)
        for answer in answers:
            assert answer.status_code == 503, answer.text
            assert "Other work keeps the image records locked" in answer.text
            assert answer.headers["Retry-After"]
        for path in paths:
            answer = deployment.ask("GET", path)
            assert answer.status_code == 200, answer.text + deployment.registry.log[-3000:]
    finally:
        deployment.stop()
        shutil.rmtree(deployment.directory)
