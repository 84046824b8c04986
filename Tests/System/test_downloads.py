"""Data on its way to clients: by the system alone or in chunks, to slow ones, of files that shrink, under conditions."""

import hashlib
import os
import pathlib
import random
import re
import time

import pytest
import requests

from audit import assert_becomes
from services import wait_until
from wire import Connection, head

MIB = 1024 * 1024
# More than two of the parts in which files are sent, and no whole number of them.
SIZE = 20 * MIB + 4321
DATA = random.Random(20).randbytes(SIZE)
TAG = f'"{hashlib.sha512(DATA).hexdigest()}"'


@pytest.fixture(scope="module")
def plain(shared_deployments):
    return shared_deployments.start(auth="noauth")


@pytest.fixture(scope="module")
def image_id(plain):
    return upload(plain)


def upload(deployment, data=DATA, user="admin"):
    session = deployment.session(user)
    body = {"disk_format": "raw", "container_format": "bare"}
    made = session.post(f"{deployment.url}/v2/images", json=body, timeout=30).json()["id"]
    headers = {"Content-Type": "application/octet-stream"}
    answer = session.put(f"{deployment.url}/v2/images/{made}/file", data=data, headers=headers, timeout=120)
    assert answer.status_code == 204, answer.text
    return made


def download(deployment, image_id, session=None, **headers):
    session = session or deployment.session()
    return session.get(f"{deployment.url}/v2/images/{image_id}/file", headers=headers, timeout=60)


def metric(deployment, name):
    """The value of a series, which is 0 as long as nobody counted."""
    text = requests.get(f"{deployment.url}/metrics", timeout=30, verify=deployment.authority).text
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0


def sent(deployment):
    """Bytes sent by the system, and by the service itself."""
    names = ('image_bytes_sent{by="sendfile"}', 'image_bytes_sent{by="copy"}')
    return tuple(metric(deployment, name) for name in names)


class Process:
    """What the system says of a running service."""

    def __init__(self, program):
        self.folder = pathlib.Path(f"/proc/{program.process.pid}")

    @property
    def memory(self):
        return int(re.search(r"VmRSS:\s+(\d+) kB", (self.folder / "status").read_text())[1]) * 1024

    @property
    def threads(self):
        return len(os.listdir(self.folder / "task"))

    @property
    def images(self):
        """Open files of stores; connections come and go by rules of their own."""
        links = []
        for path in (self.folder / "fd").iterdir():
            try:
                links.append(os.readlink(path))
            except FileNotFoundError:
                pass
        return sum("/images-" in link for link in links)

    @property
    def seconds(self):
        fields = (self.folder / "stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# --- who moves the bytes ----------------------------------------------------------------------------------------------

PARTS = [
    (0, 1),
    (8 * MIB - 1, 8 * MIB + 1),
    (8 * MIB, 16 * MIB),
    (SIZE - 1, SIZE),
    (5, SIZE),
    (0, SIZE),
]


def test_a_plain_connection_gets_files_from_the_system(plain, image_id):
    before = sent(plain)
    session = plain.session()
    assert download(plain, image_id, session).content == DATA
    for first, end in PARTS:
        answer = download(plain, image_id, session, Range=f"bytes={first}-{end - 1}")
        assert answer.status_code == 206
        assert answer.headers["Content-Range"] == f"bytes {first}-{end - 1}/{SIZE}"
        assert answer.content == DATA[first:end], (first, end)
    # Counted when it is sent, which the client may know first.
    by_system = SIZE + sum(end - first for first, end in PARTS)
    assert_becomes((by_system, 0), lambda: tuple(now - then for now, then in zip(sent(plain), before)), 60)


def test_requests_behind_a_download_on_its_connection_are_answered_in_order(plain, image_id):
    with Connection(plain.api.port, timeout=60) as connection:
        target = f"/v2/images/{image_id}/file"
        part = {"Range": f"bytes=0-{9 * MIB}"}
        connection.send(head("GET", target, part) + head("GET", f"/v2/images/{image_id}") + head("GET", target, part))
        first = connection.answer(60)
        body = first.body
        lengths = []
        for _ in range(3):
            while b"\r\n\r\n" not in first.raw or len(body) < int(first.headers["content-length"]):
                more = connection.read_some(1 << 20)
                assert more, "the connection ended early"
                first = type(first)(first.raw + more)
                body = first.body
            length = int(first.headers["content-length"])
            lengths.append((first.status, length))
            first = type(first)(body[length:])
            body = first.body
        assert [status for status, _ in lengths] == [206, 200, 206]
        assert lengths[0][1] == lengths[2][1] == 9 * MIB + 1


def test_an_encrypted_connection_gets_the_same(deployments):
    deployment = deployments.start(auth="http_basic", transport="tls")
    image_id = upload(deployment)
    assert download(deployment, image_id).content == DATA
    assert download(deployment, image_id, Range="bytes=-5").content == DATA[-5:]
    assert_becomes((0, SIZE + 5), lambda: sent(deployment), 60)


# --- clients and files that misbehave ---------------------------------------------------------------------------------


def begin_download(deployment, image_id, receive_buffer=4096):
    connection = Connection(deployment.api.port, receive_buffer, timeout=60)
    connection.send(head("GET", f"/v2/images/{image_id}/file"))
    return connection


def test_clients_that_do_not_read_hold_neither_memory_nor_threads(plain, image_id):
    process = Process(plain.api)
    assert download(plain, image_id).ok
    memory, threads = process.memory, process.threads
    slow = [begin_download(plain, image_id) for _ in range(64)]
    try:
        assert wait_until(lambda: process.images >= len(slow)), "not all downloads began"
        begun = time.monotonic()
        assert download(plain, image_id).content == DATA
        assert time.monotonic() - begun < 40
        assert process.memory - memory < 48 * MIB
        assert process.threads - threads <= 4
        # Who comes back gets the rest.
        received = b""
        while len(received) < MIB:
            received += slow[0].read_some()
        assert received.partition(b"\r\n\r\n")[2] == DATA[: len(received) - received.index(b"\r\n\r\n") - 4]
    finally:
        for connection in slow:
            connection.close()
    assert wait_until(lambda: process.images == 0, 30), "files stay open behind clients that went"


@pytest.mark.parametrize("left", [4 * MIB, 12 * MIB], ids=["in_what_is_sent", "in_what_comes"])
def test_a_file_that_shrinks_breaks_the_download_off(plain, left):
    image_id = upload(plain)
    process = Process(plain.api)
    with begin_download(plain, image_id) as connection:
        assert b"200 OK" in connection.read_some(2048)
        os.truncate(plain.stores["default"] / image_id, left)
        received = 0
        deadline = time.monotonic() + 55
        while data := connection.read_some(1 << 20):
            received += len(data)
            assert time.monotonic() < deadline, "the connection stays open"
        assert received < SIZE
    busy = process.seconds
    time.sleep(1)
    assert process.seconds - busy < 0.5, "the service works on for a client that is gone"


def test_nothing_stays_open_behind_clients_that_go(plain, image_id):
    process = Process(plain.api)
    assert download(plain, image_id).ok
    for _ in range(40):
        with begin_download(plain, image_id) as connection:
            assert connection.read_some(2048)
    assert wait_until(lambda: process.images == 0, 30)


# --- damage -----------------------------------------------------------------------------------------------------------


def test_damaged_data_is_broken_off_before_its_end(deployments):
    deployment = deployments.start(auth="noauth", options={"api": {"DEFAULT": ["verify_downloads = true"]}})
    whole, damaged, empty = upload(deployment), upload(deployment), upload(deployment, b"")
    path = deployment.stores["default"] / damaged
    with path.open("r+b") as file:
        file.seek(3 * MIB)
        file.write(bytes([DATA[3 * MIB] ^ 1]))
    assert download(deployment, whole).content == DATA
    assert download(deployment, empty).content == b""
    for _ in range(2):
        received = bytearray()
        with begin_download(deployment, damaged, receive_buffer=None) as connection:
            while data := connection.read_some(1 << 20):
                received += data
        assert received.startswith(b"HTTP/1.1 200 OK")
        # What waited to be sent is lost with the connection.
        assert SIZE // 2 < len(received) < SIZE
    # The connection's end is known before it is counted and told.
    assert_becomes(2, lambda: metric(deployment, 'image_data_mismatches{store="file"}'), 60)
    assert_becomes(2, lambda: deployment.api.log.count("A download broke off"), 60)
    # A part has no digest that it could be held against.
    assert download(deployment, damaged, Range="bytes=0-9").content == DATA[:10]
    assert download(deployment, whole).content == DATA


# --- conditions -------------------------------------------------------------------------------------------------------

OTHER = '"0123456789abcdef"'
CONDITIONS = [
    ({}, 200),
    ({"Range": "bytes=1-2", "If-Range": TAG}, 206),
    ({"Range": "bytes=1-2", "If-Range": OTHER}, 200),
    ({"Range": "bytes=1-2", "If-Range": f"W/{TAG}"}, 200),
    ({"Range": "bytes=1-2", "If-Range": "Sat, 21 Nov 2026 17:00:00 GMT"}, 200),
    ({"Range": "bytes=999999999999-", "If-Range": OTHER}, 200),
    ({"Range": "bytes=999999999999-", "If-Range": TAG}, 416),
    ({"If-Range": OTHER}, 200),
    ({"Range": "bytes=1-2", "Content-Range": "bytes 3-4/*"}, 206),
    ({"Range": "bytes=1-2", "Content-Range": "bytes 1-2/*", "If-Range": OTHER}, 200),
    ({"If-None-Match": TAG}, 304),
    ({"If-None-Match": f"W/{TAG}"}, 304),
    ({"If-None-Match": f"{OTHER}, {TAG}"}, 304),
    ({"If-None-Match": "*"}, 304),
    ({"If-None-Match": OTHER}, 200),
    ({"If-Match": TAG}, 200),
    ({"If-Match": "*"}, 200),
    ({"If-Match": OTHER}, 412),
    ({"If-Match": f"W/{TAG}"}, 412),
    ({"If-Match": "unquoted"}, 400),
    ({"If-None-Match": TAG, "Range": "bytes=1-2"}, 304),
]


@pytest.mark.parametrize(("headers", "status"), CONDITIONS, ids=lambda value: str(value)[:60])
def test_conditions(plain, image_id, headers, status):
    answer = download(plain, image_id, **headers)
    assert answer.status_code == status, answer.text[:200]
    if status in (200, 206):
        assert answer.content == (DATA if status == 200 else DATA[1:3])
        assert answer.headers["Accept-Ranges"] == "bytes"
        assert answer.headers["Content-MD5"] == hashlib.md5(DATA).hexdigest()
    if status in (200, 206, 304):
        assert answer.headers["ETag"] == TAG
    if status == 304:
        assert answer.content == b""
