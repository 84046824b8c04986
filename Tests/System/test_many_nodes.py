"""Two registries, two APIs, PostgreSQL and haproxy, each killed and restarted in turn while clients work; some hang."""

import collections
import os
import pathlib
import random
import re
import secrets
import shutil
import signal
import tempfile
import threading
import time
import uuid

import pytest
import requests

from audit import assert_accounted
from cluster import Cluster
from services import wait_until

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="PostgreSQL is started by root only"),
    pytest.mark.skipif(not shutil.which("haproxy"), reason="haproxy is not installed"),
]
CLIENTS = 6
PATCH = {"Content-Type": "application/openstack-images-v2.1-json-patch"}
BYTES = {"Content-Type": "application/octet-stream"}


@pytest.fixture
def cluster():
    directory = pathlib.Path(tempfile.mkdtemp(prefix="glance-"))
    cluster = Cluster(directory, options={"api": {"DEFAULT": ["drain_seconds = 5"]}})
    try:
        yield cluster.start()
    finally:
        cluster.stop()
    shutil.rmtree(directory)


class Unknown(Exception):
    """The client was not told what came of its request: 503, or a connection that ended."""


class Record:
    """What one client knows of one image."""

    def __init__(self):
        self.id = str(uuid.uuid4())
        # Every state that it may be in: one, unless a change came to an unknown end. `None` is not there.
        self.states = {None}
        self.data = None
        self.may_have = set()


class Client(threading.Thread):
    """Works on images of its own, so that it knows what each must be; repeats nothing."""

    def __init__(self, cluster, seed, book):
        super().__init__()
        self.url = cluster.url + "/v2/images"
        self.session = cluster.session()
        self.random = random.Random(seed)
        self.book = book
        self.records = []
        self.is_over = False
        self.problems = []
        # The phase in which it has asked for what it waits for.
        self.waits_since = None

    def run(self):
        while not self.is_over:
            try:
                self.step()
            except Unknown:
                self.session.close()
                time.sleep(0.05)
            except AssertionError as problem:
                self.problems.append(str(problem))

    def ask(self, method, path="", expected=(), **arguments):
        begun = self.waits_since = self.book.phase
        start = time.monotonic()
        try:
            answer = self.session.request(method, self.url + path, timeout=60, **arguments)
        except requests.RequestException as error:
            self.book.unknown(begun, method, type(error).__name__)
            raise Unknown from None
        finally:
            self.waits_since = None
        if answer.status_code in (502, 503, 504) and answer.status_code not in expected:
            self.book.unknown(begun, method, answer.status_code)
            raise Unknown
        assert answer.status_code in expected, f"{method} {path}: {answer.status_code} {answer.text}"
        self.book.done(begun, time.monotonic() - start)
        return answer

    def step(self):
        kind = self.random.random()
        if not self.records or kind < 0.25:
            return self.create()
        record = self.random.choice(self.records[-20:])
        if record.states == {None}:
            return None
        if kind < 0.55:
            return self.read(record)
        if kind < 0.8:
            return self.change(record)
        if kind < 0.93:
            return self.upload(record)
        return self.delete(record)

    def create(self):
        record = Record()
        self.records.append(record)
        record.states = {None, "0"}
        body = {"id": record.id, "n": "0", "disk_format": "raw", "container_format": "bare"}
        # A write that was applied twice would be told that the id is taken.
        self.ask("POST", json=body, expected=[201])
        record.states = {"0"}

    def read(self, record):
        answer = self.ask("GET", "/" + record.id, expected=[200] if None not in record.states else [200, 404])
        state = answer.json()["n"] if answer.status_code == 200 else None
        assert state in record.states, f"{record.id} is {state}, not one of {record.states}"

    def change(self, record):
        value = secrets.token_hex(4)
        before = record.states
        record.states = before | {value}
        change = [{"op": "add", "path": "/n", "value": value}]
        expected = [200] if None not in before else [200, 404]
        answer = self.ask("PATCH", "/" + record.id, json=change, headers=PATCH, expected=expected)
        record.states = {value} if answer.status_code == 200 else {None}

    def upload(self, record):
        if record.data is not None or record.may_have or None in record.states:
            return
        data = secrets.token_bytes(self.random.choice([1, 4_096, 300_000]))
        record.may_have.add(data)
        self.ask("PUT", f"/{record.id}/file", data=data, headers=BYTES, expected=[204])
        record.data = data
        assert self.ask("GET", f"/{record.id}/file", expected=[200]).content == data

    def delete(self, record):
        before = record.states
        record.states = before | {None}
        # An upload that came to an unknown end may still hold the image.
        expected = [204] + ([404] if None in before else []) + ([403, 409] if record.may_have and not record.data else [])
        answer = self.ask("DELETE", "/" + record.id, expected=expected)
        record.states = {None} if answer.status_code in (204, 404) else before


class Book:
    """Counts what was done and what came to an unknown end, by the phase it fell into."""

    def __init__(self):
        self.lock = threading.Lock()
        self.operations = 0
        self.phase = "calm"
        # Seconds that the slowest answer took, by the phase in which it was asked for.
        self.slowest = collections.defaultdict(float)
        self.unknowns = collections.defaultdict(collections.Counter)

    def done(self, begun, seconds):
        with self.lock:
            self.operations += 1
            self.slowest[begun] = max(self.slowest[begun], seconds)

    def unknown(self, begun, method, what):
        """Belongs to the phase in which it ended, or in which it began when all was calm again."""
        with self.lock:
            self.unknowns[self.phase if self.phase != "calm" else begun][f"{method} {what}"] += 1


def retries(cluster):
    total = 0
    for api in cluster.apis:
        text = requests.get(api.url + "/metrics", timeout=10).text
        total += sum(int(float(value)) for value in re.findall(r"^registry_retries(?:_total)?(?:\{\})? (\S+)$", text, re.M))
    return total


def targets(cluster, random):
    nodes = [*cluster.registries, *cluster.apis, cluster.database]
    plan = [(node, number) for node in nodes for number in (signal.SIGKILL, signal.SIGTERM)]
    plan.append((cluster.balancer, signal.SIGKILL))
    plan += [(random.choice(group), signal.SIGSTOP) for group in (cluster.registries, cluster.apis)]
    random.shuffle(plan)
    return plan


def label(cluster, target):
    for names, group in (("registry", cluster.registries), ("api", cluster.apis)):
        if target in group:
            return f"{names}-{group.index(target) + 1}"
    return target.name


def test_every_node_is_killed_or_hangs_in_turn_and_nothing_is_lost_or_done_twice(cluster):
    seed = int(os.environ.get("GLANCE_TEST_SEED", secrets.randbits(32)))
    print(f"GLANCE_TEST_SEED={seed}")
    choices = random.Random(seed)
    book = Book()
    clients = [Client(cluster, choices.random(), book) for _ in range(CLIENTS)]
    kills = retried = 0
    for client in clients:
        client.start()
    try:
        for target, number in targets(cluster, choices):
            wait_for_work(book, clients, 60)
            name = f"{signal.Signals(number).name} {label(cluster, target)}"
            if target in cluster.apis:
                retried += retries(cluster)
            book.phase = name
            if number == signal.SIGSTOP:
                hang(cluster, target, book, clients)
            else:
                cluster.end(target, number)
                time.sleep(choices.uniform(0.2, 1))
                cluster.restart(target)
            if target in cluster.apis:
                # Its counters begin anew; the other's go on.
                retried -= retries(cluster)
            wait_for_work(book, clients, 60)
            # The balancer and the APIs have found it again.
            assert wait_until(lambda: all_in_service(cluster), 30), f"after {name}"
            book.phase = "calm"
            # Nor does anybody still wait who asked while it was not there: that would be told of the next one.
            assert wait_until(lambda: all(client.waits_since != name for client in clients), 60), f"after {name}"
            kills += 1
    finally:
        for client in clients:
            client.is_over = True
        for client in clients:
            client.join(90)
    retried += retries(cluster)
    print(f"slowest answers: { {phase: round(seconds, 1) for phase, seconds in book.slowest.items()} }")
    print(f"{kills} kills, {book.operations} operations, {retried} retries; unknown ends: {dict(book.unknowns)}")
    assert [problem for client in clients for problem in client.problems] == []
    for phase, unknowns in book.unknowns.items():
        # Where the others could do the work, and nobody was cut off, clients see nothing at all.
        assert not phase.startswith(("SIGTERM registry", "SIGTERM api", "SIGKILL registry", "calm")), (phase, unknowns)
        # What hangs with a transaction open keeps what it has locked; those who wait for that are told to come again.
        if not phase.endswith(("haproxy", "api-1", "api-2")):
            assert all(what.endswith(" 503") for what in unknowns), (phase, unknowns)
    # A registry that hangs is waited for until half of an exchange's patience is over, an API until it goes on.
    assert max(book.slowest.values()) < 45, book.slowest
    settle(cluster, clients)
    assert_accounted(cluster, seconds=90)


def hang(cluster, target, book, clients):
    """It stands still, which looks like a network that swallows everything, until it is missed and the others do its work;
    then it goes on as if nothing had been."""
    told = cluster.balancer.log.count("is DOWN")
    target.send(signal.SIGSTOP)
    try:
        if target in cluster.registries:
            assert wait_until(lambda: not any_in_service(cluster, target), 60), "the APIs do not miss a registry that hangs"
            wait_for_work(book, clients, 60)
        else:
            # Who was sent to it waits for it; all others are served.
            assert wait_until(lambda: cluster.balancer.log.count("is DOWN") > told, 60), "the balancer does not miss it"
            session = cluster.session()
            for _ in range(20):
                assert session.get(cluster.url + "/v2/images?limit=1", timeout=20).status_code == 200
    finally:
        target.send(signal.SIGCONT)


def any_in_service(cluster, registry):
    """Whether an API still asks this registry."""
    up = f'registry_endpoint_up{{endpoint="{registry.endpoint}"}} 1'
    return any(up in requests.get(api.url + "/metrics", timeout=10).text for api in cluster.apis)


def wait_for_work(book, clients, more):
    target = book.operations + more
    busy = wait_until(lambda: book.operations >= target or any(c.problems for c in clients), 60)
    problems = [problem for client in clients for problem in client.problems]
    assert busy and not problems, problems or "nothing is answered any more"


def all_in_service(cluster):
    for api in cluster.apis:
        try:
            text = requests.get(api.url + "/metrics", timeout=5).text
        except requests.RequestException:
            return False
        if re.search(r"^registry_endpoint_up\{[^}]*\} 0", text, re.M):
            return False
    return cluster.balancer.is_healthy()


def settle(cluster, clients):
    """Every image is in one of the states that its client knows of, and has the bytes that were acknowledged."""
    session = cluster.session()
    for record in (record for client in clients for record in client.records):
        url = f"{cluster.url}/v2/images/{record.id}"
        answer = session.get(url, timeout=30)
        state = answer.json()["n"] if answer.status_code == 200 else None
        assert state in record.states, f"{record.id} is {state}, not one of {record.states}"
        if state is None:
            continue
        assert wait_until(lambda: session.get(url, timeout=30).json()["status"] in ("queued", "active"), 90), record.id
        status = session.get(url, timeout=30).json()["status"]
        data = session.get(url + "/file", timeout=30).content
        if record.data is not None:
            assert status == "active" and data == record.data, f"{record.id} lost its data"
        elif status == "active":
            assert data in record.may_have, f"{record.id} has data of nobody's"
