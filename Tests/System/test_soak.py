"""Transfers of all kinds at once, whole, cut, slow and in parts, over two stores: and then nothing of them is left, neither
data nor open files, threads or memory.

A few seconds in `make test`; longer with `--soak-seconds 3600`. A failure prints the seed for `--soak-seed`.
"""

import concurrent.futures
import random
import secrets
import time


import tus
from audit import assert_accounted, assert_becomes, assert_stores_empty, rows
from located_images import Images
from resources import Resources
from services import wait_until
from wire import Connection, head

OCTETS = {"Content-Type": "application/octet-stream"}
BYTES = secrets.token_bytes(6 << 20)
CLIENTS = 8
STORES = ("fast", "slow")
# What the allocator may keep, and what a pool of connections or threads may have more in one round than in another.
MARGIN_BYTES = 48 << 20
MARGIN = 8


class Transfers:
    """One client's transfers, each with an image of its own, which is deleted in the end."""

    def __init__(self, deployment, seed, number):
        self.random = random.Random(f"{seed} {number}")
        self.number = number
        self.deployment = deployment
        self.images = Images(deployment)
        self.done = {}

    def run(self, until):
        kinds = (self.whole, self.cut_upload, self.slow_upload, self.cut_download, self.slow_download, self.resumed)
        kinds += (self.parallel, self.abandoned, self.replaced)
        # Between them the clients do each kind once, however slow the machine is.
        first = list(kinds[self.number :: CLIENTS])
        while first or time.monotonic() < until:
            kind = first.pop() if first else self.random.choice(kinds)
            image = self.images.create()
            kind(image)
            # Of an upload that was cut the service may still have to hear.
            assert self.images.request("DELETE", f"/{image}").status_code == 204
            self.done[kind.__name__] = self.done.get(kind.__name__, 0) + 1
        return self.done

    # --- parts ------------------------------------------------------------------------------------------------------

    def data(self):
        start = self.random.randrange(len(BYTES) // 2)
        return BYTES[start : start + self.random.choice((1, 70_000, 600_000, len(BYTES) // 2))]

    def headers(self):
        return {**OCTETS, "x-image-meta-store": self.random.choice(STORES)}

    def names(self):
        return {name: value for name, value in self.images.session.headers.items() if name.startswith("X-")}

    def put(self, image, data, body=None):
        answer = self.images.request("PUT", f"/{image}/file", data=body or data, headers=self.headers())
        assert answer.status_code == 204, answer.text

    def check(self, image, data):
        """Reads all of it, then parts."""
        assert self.images.request("GET", f"/{image}/file").content == data
        for _ in range(3):
            first = self.random.randrange(len(data))
            last = self.random.randrange(first, len(data))
            answer = self.images.request("GET", f"/{image}/file", headers={"Range": f"bytes={first}-{last}"})
            assert (answer.status_code, answer.content) == (206, data[first : last + 1])

    # --- kinds ------------------------------------------------------------------------------------------------------

    def whole(self, image):
        data = self.data()
        self.put(image, data)
        self.check(image, data)

    def cut_upload(self, image):
        data = self.data()
        headers = {**self.names(), **self.headers(), "Content-Length": len(data)}
        with Connection(self.deployment.api.port) as connection:
            connection.send(head("PUT", f"/v2/images/{image}/file", headers))
            connection.send(data[: self.random.randrange(len(data))])
        assert wait_until(lambda: self.images.show(image)["status"] == "queued", 30)

    def slow_upload(self, image):
        data = self.data()

        def pieces():
            size = max(1, len(data) // 8)
            for offset in range(0, len(data), size):
                time.sleep(self.random.random() / 50)
                yield data[offset : offset + size]

        self.put(image, data, pieces())
        self.check(image, data)

    def read_by_hand(self, image, data, count, pause):
        with Connection(self.deployment.api.port, receive_buffer=8192) as connection:
            connection.send(head("GET", f"/v2/images/{image}/file", self.names()))
            got, body = b"", b""
            while len(body) < max(1, min(count, len(data))):
                piece = connection.read_some()
                assert piece, "a download broke off"
                got += piece
                body = got.partition(b"\r\n\r\n")[2]
                time.sleep(pause)
        assert got.startswith(b"HTTP/1.1 200 ") and body == data[: len(body)]

    def cut_download(self, image):
        data = self.data()
        self.put(image, data)
        self.read_by_hand(image, data, self.random.choice((1, 10_000, len(data) // 2)), 0)

    def slow_download(self, image):
        data = self.data()[:600_000]
        self.put(image, data)
        self.read_by_hand(image, data, len(data), 0.002)

    def resumed(self, image):
        data = self.data()
        url = f"{self.images.base}/{image}"
        store = self.headers()["x-image-meta-store"]
        upload = tus.Upload.create(self.images.session, url, len(data), **{"x-image-meta-store": store})
        path = upload.url.removeprefix(self.deployment.url)
        for _ in range(self.random.randrange(3)):
            offset = upload.offset
            headers = {**self.names(), **tus.VERSION, **tus.OCTETS, "Upload-Offset": offset}
            headers["Content-Length"] = len(data) - offset
            with Connection(self.deployment.api.port) as connection:
                connection.send(head("PATCH", path, headers))
                connection.send(data[offset : offset + self.random.randrange(len(data) - offset)])
        assert wait_until(lambda: self.finishes(upload, data), 60)
        self.check(image, data)

    @staticmethod
    def finishes(upload, data):
        """Whether the rest was taken: a request that was cut may bring bytes still after the offset was asked for."""
        offset = upload.offset
        status = upload.patch(data[offset:], offset).status_code
        assert status in (204, 409), status
        return status == 204

    def parallel(self, image):
        data = self.data() + self.data()
        middle = self.random.randrange(1, len(data))
        url = f"{self.images.base}/{image}"
        parts = tus.Upload.parts(self.images.session, url, [middle, len(data) - middle])
        with concurrent.futures.ThreadPoolExecutor(2) as connections:
            pieces = [data[:middle], data[middle:]]
            for answer in connections.map(lambda part, piece: part.patch(piece, 0), parts, pieces):
                assert answer.status_code == 204, answer.text
        assert tus.concatenate(self.images.session, url, parts).status_code == 201
        self.check(image, data)

    def abandoned(self, image):
        """An upload in pieces that ends early, or that goes with its image."""
        data = self.data()
        upload = tus.Upload.create(self.images.session, f"{self.images.base}/{image}", len(data) + 1)
        assert upload.patch(data, 0).status_code == 204
        if self.random.random() < 0.5:
            assert upload.end().status_code == 204

    def replaced(self, image):
        """A download that goes on while its image is deleted."""
        data = self.data()
        self.put(image, data)
        other = self.images.create()
        with self.images.session.get(f"{self.images.base}/{image}/file", stream=True, timeout=60) as download:
            assert self.images.request("DELETE", f"/{other}").status_code == 204
            assert b"".join(download.iter_content(65_536)) == data


def soak(deployment, seed, seconds):
    until = time.monotonic() + seconds
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as clients:
        running = [clients.submit(Transfers(deployment, seed, number).run, until) for number in range(CLIENTS)]
        done = {}
        for each in running:
            for kind, count in each.result().items():
                done[kind] = done.get(kind, 0) + count
    return done


def held(deployment):
    return {program.name: Resources.of(program.process.pid, deployment.directory) for program in deployment.programs}


def excess(before, after):
    """What is held now, that was not held before."""
    found = []
    for name, now in after.items():
        was = before[name]
        data = [path for path in now.files if "/images-" in path]
        if data:
            found.append(f"{name} has {data} open")
        for kind in ("sockets", "others", "threads"):
            if getattr(now, kind) > getattr(was, kind) + MARGIN:
                found.append(f"{name} has {getattr(now, kind)} {kind}, and had {getattr(was, kind)}")
        if now.resident > was.resident + MARGIN_BYTES:
            found.append(f"{name} has {now.resident >> 20} MiB of memory, and had {was.resident >> 20}")
    return found


def test_nothing_is_left_of_transfers_of_all_kinds(deployments, pytestconfig):
    seconds = pytestconfig.getoption("--soak-seconds")
    seed = pytestconfig.getoption("--soak-seed") or secrets.randbits(32)
    print("seed", seed)
    deployment = deployments.start(auth="trusted_headers", stores=STORES)
    # Pools, caches and the allocator have what they want after this.
    soak(deployment, f"{seed} warm-up", min(10, seconds))
    assert_stores_empty(deployment, 60)
    before = held(deployment)
    done = soak(deployment, seed, seconds)
    print(done)
    assert len(done) == 9, done
    assert_stores_empty(deployment, 60)
    assert_accounted(deployment, 60)
    for table in ("image_locations", "uploads", "upload_sessions"):
        assert_becomes([], lambda: rows(deployment, f"SELECT * FROM {table}"), 60)
    assert_becomes([], lambda: excess(before, held(deployment)), 60)
