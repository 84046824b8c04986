"""How uploads of several requests end: what is published is what was asked for, whatever comes at the same time."""

import concurrent.futures
import fcntl
import hashlib
import secrets
import time

import pytest

import tus
from audit import assert_accounted, assert_stores_empty, stored_files
from services import wait_until

LENGTH = 200_000
CHECKSUM = "x-openstack-image-checksum"


@pytest.fixture(scope="module")
def deployment(shared_deployments):
    options = {"registry": {"registry": ["upload_session_seconds = 30"]}}
    return shared_deployments.start(auth="trusted_headers", options=options)


@pytest.fixture
def session(deployment):
    return deployment.session("member")


@pytest.fixture
def image(deployment, session):
    """Deleted in the end, when nothing of it may be left."""
    body = {"disk_format": "raw", "container_format": "bare"}
    url = f"{deployment.url}/v2/images/{session.post(f'{deployment.url}/v2/images', json=body).json()['id']}"
    yield url
    assert session.delete(url).status_code == 204
    assert_stores_empty(deployment)
    assert_accounted(deployment)


def assert_active(session, image, data):
    record = session.get(image).json()
    assert (record["status"], record.get("size")) == ("active", len(data))
    assert record["checksum"] == hashlib.md5(data).hexdigest()
    assert session.get(f"{image}/file").content == data


def md5(data):
    return {CHECKSUM: hashlib.md5(data).hexdigest()}


def complete(session, image, data):
    parts = tus.Upload.parts(session, image, [LENGTH, len(data) - LENGTH])
    assert parts[0].patch(data[:LENGTH], 0).status_code == 204
    assert parts[1].patch(data[LENGTH:], 0).status_code == 204
    return parts


def test_a_part_that_is_added_while_the_upload_is_finished(deployment, session, image):
    """The end waits for the file, which another process has, and a part comes before it goes on."""
    data = secrets.token_bytes(2 * LENGTH)
    parts = complete(session, image, data)
    more = secrets.token_bytes(LENGTH)
    deployment.api.kill()
    deployment.restart(deployment.api)
    (path,) = stored_files(deployment)
    headers = {**tus.VERSION, "Upload-Length": str(LENGTH), "Upload-Concat": "partial"}

    def slowly(upload):
        def body():
            for start in range(0, LENGTH, 10_000):
                yield more[start : start + 10_000]
                time.sleep(0.02)

        return upload.patch(body(), 0)

    with concurrent.futures.ThreadPoolExecutor(2) as pool, path.open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        end = pool.submit(tus.concatenate, session, image, parts)
        time.sleep(0.4)
        added = session.post(f"{image}/uploads", headers=headers)
        sent = pool.submit(slowly, tus.Upload(session, added.headers["Location"]))
        time.sleep(0.2)
        fcntl.flock(file, fcntl.LOCK_UN)
        assert added.status_code == 201
        assert end.result().status_code in (400, 409), "it does not name all parts"
        # The end stops what still brings bytes before it looks at them.
        assert sent.result().status_code in (204, 409), sent.result().text
    parts.append(tus.Upload(session, added.headers["Location"]))
    offset = parts[-1].offset
    assert parts[-1].patch(more[offset:], offset).status_code == 204
    assert tus.concatenate(session, image, parts).status_code == 201
    assert session.post(f"{image}/uploads", headers=headers).status_code == 409
    assert_active(session, image, data + more)


def test_parts_and_ends_at_once(deployment, session):
    """Either the part is one of the image's or there is none."""
    data = secrets.token_bytes(LENGTH + 1000)
    more = secrets.token_bytes(100_000)
    headers = {**tus.VERSION, "Upload-Length": str(len(more)), "Upload-Concat": "partial"}
    outcomes = set()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for lap in range(20):
            body = {"disk_format": "raw", "container_format": "bare"}
            created = session.post(f"{deployment.url}/v2/images", json=body)
            image = f"{deployment.url}/v2/images/{created.json()['id']}"
            parts = complete(session, image, data)
            end = pool.submit(tus.concatenate, session, image, parts)
            time.sleep(lap / 2000)
            added = session.post(f"{image}/uploads", headers=headers)
            outcomes.add((end.result().status_code, added.status_code))
            if added.status_code == 201:
                part = tus.Upload(session, added.headers["Location"])
                assert part.patch(more, 0).status_code == 204
                assert tus.concatenate(session, image, [*parts, part]).status_code == 201
            assert_active(session, image, data + more if added.status_code == 201 else data)
            assert session.delete(image).status_code == 204
    assert outcomes <= {(201, 409), (400, 201), (409, 201)}, outcomes
    assert_stores_empty(deployment)


def test_an_end_that_is_asked_for_again_compares_its_digests(session, image):
    data = secrets.token_bytes(2 * LENGTH)
    parts = complete(session, image, data)
    sha256 = {
        "x-openstack-image-hash-algo": "sha256",
        "x-openstack-image-hash-value": hashlib.sha256(data).hexdigest(),
    }
    wrong = {**sha256, "x-openstack-image-hash-value": hashlib.sha256(b"other").hexdigest()}
    unknown = {"x-openstack-image-hash-algo": "sha3_256", "x-openstack-image-hash-value": hashlib.sha3_256(data).hexdigest()}
    answers = [(sha256, 201), (sha256, 201), (wrong, 400), (md5(data), 201), (md5(b"other"), 400), (unknown, 409), ({}, 201)]
    for headers, code in answers:
        answer = tus.concatenate(session, image, parts, **headers)
        assert answer.status_code == code, (headers, answer.text)
    assert_active(session, image, data)


def test_ends_at_once_compare_their_digests_each(session, image):
    data = secrets.token_bytes(2 * LENGTH)
    parts = complete(session, image, data)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        right = pool.submit(tus.concatenate, session, image, parts)
        wrong = pool.submit(tus.concatenate, session, image, parts, **md5(b"other"))
        answers = (right.result().status_code, wrong.result().status_code)
    # Whichever is first decides what becomes of the data, and the wrong one is refused in any case.
    assert answers[1] in (400, 404, 410), answers
    assert session.get(image).json()["status"] == ("active" if answers[0] == 201 else "queued")


@pytest.mark.parametrize("place", ["part", "patch"])
def test_digests_may_be_declared_with_any_request(session, image, place):
    """Where they are wrong, the upload ends; the right ones are taken."""
    data = secrets.token_bytes(2 * LENGTH)
    for said, code in ((b"other", 400), (data, 201)):
        parts = tus.Upload.parts(session, image, [LENGTH])
        parts += tus.Upload.parts(session, image, [LENGTH], **(md5(said) if place == "part" else {}))
        assert parts[0].patch(data[:LENGTH], 0, **(md5(said) if place == "patch" else {})).status_code == 204
        assert parts[1].patch(data[LENGTH:], 0).status_code == 204
        assert tus.concatenate(session, image, parts).status_code == code
    assert_active(session, image, data)


def test_digests_that_come_with_the_last_bytes(session, image):
    data = secrets.token_bytes(LENGTH)
    upload = tus.Upload.create(session, image, LENGTH)
    for name in ("Content-MD5", "Content-Digest", "Repr-Digest"):
        refused = upload.patch(data, 0, **{name: "x"})
        assert refused.status_code == 400 and name in refused.text, "none is passed over"
    assert upload.patch(data[:100], 0).status_code == 204
    refused = upload.patch(data[100:], 100, **md5(b"other"))
    assert refused.status_code == 400, refused.text
    assert session.get(image).json()["status"] == "queued"
    upload = tus.Upload.create(session, image, LENGTH, **md5(data))
    contradiction = upload.patch(data[:100], 0, **md5(b"other"))
    assert contradiction.status_code == 400, contradiction.text
    assert upload.patch(data[upload.offset :], upload.offset, **md5(data)).status_code == 204
    assert_active(session, image, data)
    # The answer may have been lost.
    assert upload.patch(b"", LENGTH, **md5(data)).status_code == 204
    assert upload.patch(b"", LENGTH, **md5(b"other")).status_code == 400


def test_a_request_whose_upload_ends_is_told_so(session, image):
    upload = tus.Upload.create(session, image, LENGTH)
    may_end = []

    def body():
        yield b"x" * 1000
        assert wait_until(lambda: may_end, 30)
        yield b"x" * 1000

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        sent = pool.submit(upload.patch, body(), 0)
        ended = wait_until(lambda: any(s for s in [upload.end().status_code] if s in (204, 404)), 30)
        may_end.append(True)
        assert ended
        try:
            # One that comes after the end finds none.
            assert sent.result().status_code in (404, 410), sent.result().text
        except OSError:
            pass  # The connection is closed while the client still sends.
    assert session.get(image).json()["status"] == "queued"
