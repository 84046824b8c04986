"""Uploads that are cut and go on, and uploads over several connections: tus 1.0.0."""

import concurrent.futures
import hashlib
import random
import secrets
import time

import pytest
import tusclient.client
import tusclient.exceptions

import tus
from audit import assert_accounted, assert_stores_empty, rows, stored_files
from services import wait_until
from wire import Connection, head

SIZE = 3 * 1024 * 1024 + 17


@pytest.fixture(scope="module", params=[(), ("fast", "slow")], ids=["one_store", "stores"])
def deployment(request, shared_deployments):
    options = {
        "api": {
            "DEFAULT": ["image_size_cap = 64MB"],
            "cors": ["allowed_origin = https://page.example"],
        }
    }
    return shared_deployments.start(auth="trusted_headers", stores=request.param, options=options)


@pytest.fixture
def session(deployment):
    return deployment.session("member")


def create(deployment, session, **fields):
    body = {"disk_format": "raw", "container_format": "bare", **fields}
    answer = session.post(f"{deployment.url}/v2/images", json=body)
    assert answer.status_code == 201, answer.text
    return f"{deployment.url}/v2/images/{answer.json()['id']}"


@pytest.fixture
def image(deployment, session):
    """Deleted in the end, when nothing of it may be left."""
    url = create(deployment, session)
    yield url
    assert session.delete(url).status_code == 204
    assert_stores_empty(deployment)
    assert rows(deployment, "SELECT * FROM upload_sessions") == []


def status(session, image):
    return session.get(image).json()["status"]


def assert_active(session, image, data):
    record = session.get(image).json()
    assert record["status"] == "active", record
    assert (record["size"], record["virtual_size"]) == (len(data), len(data))
    assert record["checksum"] == hashlib.md5(data).hexdigest()
    assert record["os_hash_value"] == hashlib.sha512(data).hexdigest()
    assert session.get(f"{image}/file").content == data


def reread(deployment):
    """How many bytes digests had to take from the disk."""
    for line in deployment.session().get(f"{deployment.api.url}/metrics").text.splitlines():
        if line.startswith("upload_bytes_reread"):
            return float(line.split()[-1])
    return 0


def test_an_end_that_comes_while_the_upload_is_finished_leaves_all_of_it_or_nothing(deployment, session):
    """Whichever comes first: an image that is active has its data."""
    delays = random.Random(4)
    data = secrets.token_bytes(300_000)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for _ in range(40):
            image = create(deployment, session)
            upload = tus.Upload.create(session, image, len(data))
            patch = pool.submit(upload.patch, data, 0)
            time.sleep(delays.uniform(0, 0.06))
            end = upload.end()
            taken = patch.result()
            if status(session, image) == "active":
                assert_active(session, image, data)
                assert end.status_code == 409, (taken.status_code, end.status_code)
            else:
                assert status(session, image) == "queued"
                assert (taken.status_code, end.status_code) != (204, 204)
            assert session.delete(image).status_code == 204
    assert_stores_empty(deployment)
    assert_accounted(deployment)


# --- one upload ------------------------------------------------------------------------------------------------------


def test_an_upload_in_pieces(deployment, session, image):
    data = secrets.token_bytes(SIZE)
    before = reread(deployment)
    upload = tus.Upload.create(session, image, SIZE, **{"Upload-Metadata": tus.metadata(filename="disk.raw")})
    assert upload.url.startswith(f"{image}/uploads/")
    assert status(session, image) == "saving"
    offset = 0
    for length in (1, 700_000, 524_288, 0, SIZE):
        piece = data[offset : offset + length]
        answer = upload.patch(piece, offset)
        assert answer.status_code == 204, answer.text
        offset += len(piece)
        assert answer.headers["Upload-Offset"] == str(offset)
        shown = upload.head()
        assert (shown.status_code, shown.headers["Cache-Control"]) == (200, "no-store")
        assert (shown.headers["Upload-Offset"], shown.headers["Upload-Length"]) == (str(offset), str(SIZE))
        assert shown.headers["Upload-Metadata"] == tus.metadata(filename="disk.raw")
    assert_active(session, image, data)
    assert reread(deployment) == before, "what comes in order is read once"
    # Whoever did not hear of the end may ask, and send nothing again.
    assert upload.patch(b"", SIZE).status_code == 204
    assert upload.patch(b"", 5).status_code == 409
    assert upload.end().status_code == 409
    assert_accounted(deployment)


def test_an_upload_that_is_cut_at_many_points(deployment, session, image):
    seed = secrets.randbits(32)
    cuts = random.Random(seed)
    print("seed", seed)
    data = secrets.token_bytes(SIZE)
    upload = tus.Upload.create(session, image, SIZE)
    path = upload.url.removeprefix(deployment.url)
    names = {name: value for name, value in session.headers.items() if name.startswith("X-")}
    offset, sent, connections = 0, 0, 0
    while offset < SIZE:
        with Connection(deployment.api.port) as connection:
            headers = {**names, **tus.VERSION, **tus.OCTETS, "Upload-Offset": offset, "Content-Length": SIZE - offset}
            connection.send(head("PATCH", path, headers))
            count = cuts.choice((0, 1, cuts.randrange(70_000), cuts.randrange(600_000)))
            connection.send(data[offset : offset + count])
            is_dead = cuts.random() < 0.3
            if is_dead:
                time.sleep(cuts.random() / 20)
            else:
                connection.close()
            # A connection that nobody closed must not keep the upload from going on.
            found = upload.offset
        connections += 1
        # What an earlier connection brought may be taken after it was closed.
        sent = max(sent, offset + count)
        assert offset <= found <= sent, f"seed {seed}"
        offset = found
    assert connections > 5
    assert_active(session, image, data)


def test_a_request_that_another_one_overtakes_is_told_so(deployment, session, image):
    data = secrets.token_bytes(SIZE)
    upload = tus.Upload.create(session, image, SIZE)
    names = {name: value for name, value in session.headers.items() if name.startswith("X-")}
    headers = {**names, **tus.VERSION, **tus.OCTETS, "Upload-Offset": 0, "Content-Length": SIZE}
    offset = 0
    for _ in range(20):
        with Connection(deployment.api.port) as connection:
            connection.send(head("PATCH", upload.url.removeprefix(deployment.url), headers))
            connection.send(data[: 1 << 20])
            # Whoever asks takes over, for whoever sent may be gone. One that asks before the request is there finds none.
            assert wait_until(lambda: upload.offset >= 0 and connection.is_answered(), 30)
            answer = connection.answer()
            # Its connection may be closed instead, as that of a client that is gone.
            assert answer.status == 0 or answer.status == 409 and b"took over" in answer.body, answer
        offset = upload.offset
        # Asked a moment after it came, the request had brought nothing yet.
        if offset:
            break
    assert offset > 0
    assert upload.patch(data[offset:], offset).status_code == 204
    assert_active(session, image, data)


def test_early_answers(deployment, session, image):
    assert session.options(f"{image}/uploads").status_code == 204
    upload = tus.Upload.create(session, image, 10)
    assert upload.patch(b"x", 1).status_code == 409
    assert upload.patch(b"", 0, **{"Tus-Resumable": "0.2.2"}).status_code == 412
    assert upload.patch(b"12345678901", 0).status_code == 413
    assert upload.patch(iter([b"12345", b"678901"]), 0).status_code == 413
    assert upload.patch(b"x", 0, **{"Content-Type": "application/octet-stream"}).status_code == 415
    for name, value in [
        ("Upload-Offset", "-1"),
        ("Upload-Offset", "+1"),
        ("Upload-Offset", "one"),
        ("Upload-Offset", ""),
        ("Upload-Offset", "9" * 30),
        ("Upload-Checksum", "crc32 AAAA"),
        ("Upload-Checksum", "sha1"),
        ("Upload-Checksum", "sha1 AAAA"),
        ("Upload-Checksum", "sha1 *"),
    ]:
        answer = upload.patch(b"x", 0, **{name: value})
        assert answer.status_code == 400, f"{name}: {value}"
        assert name in answer.text
        assert answer.headers["Tus-Resumable"] == "1.0.0"
    assert upload.offset == 0
    assert upload.patch(b"1234567890", 0).status_code == 204
    assert_active(session, image, b"1234567890")


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Tus-Resumable": None}, 412),
        ({"Tus-Resumable": "1.0"}, 412),
        ({"Upload-Length": None}, 400),
        ({"Upload-Length": "0"}, 400),
        ({"Upload-Length": "-5"}, 400),
        ({"Upload-Length": "1e3"}, 400),
        ({"Upload-Length": "9" * 30}, 400),
        ({"Upload-Length": str((64 << 20) + 1)}, 413),
        ({"Upload-Length": None, "Upload-Defer-Length": "1"}, 400),
        ({"Upload-Metadata": "key *"}, 400),
        ({"Upload-Metadata": "key AAAA,key BBBB"}, 400),
        ({"Upload-Metadata": "a AAAA,,b AAAA"}, 400),
        ({"Upload-Metadata": "a AAAA b"}, 400),
        ({"Upload-Metadata": "a " + "A" * 5000}, 400),
        ({"Upload-Concat": "final"}, 400),
        ({"Upload-Concat": "final;"}, 400),
        ({"Upload-Concat": "first"}, 400),
        ({"Upload-Length": None, "Upload-Concat": "final;/v2/images/x/uploads/y"}, 400),
        ({"Upload-Length": None, "Upload-Concat": "final;/"}, 400),
        ({"x-openstack-image-checksum": "short"}, 400),
        ({"x-openstack-image-hash-algo": "sha256"}, 400),
        ({"Upload-Metadata": tus.metadata(**{"x-openstack-image-checksum": "short"})}, 400),
    ],
    ids=str,
)
def test_what_cannot_be_created(session, image, headers, code):
    headers = {**tus.VERSION, "Upload-Length": "10", **headers}
    answer = session.post(f"{image}/uploads", headers={k: v for k, v in headers.items() if v is not None})
    assert answer.status_code == code, answer.text
    assert answer.headers["Tus-Version"] == "1.0.0"
    assert status(session, image) == "queued"


def test_checksums(deployment, session, image):
    data = secrets.token_bytes(SIZE)
    half = SIZE // 2
    upload = tus.Upload.create(session, image, SIZE)
    answer = upload.patch(data[:half], 0, **{"Upload-Checksum": tus.checksum(data[: half - 1])})
    assert (answer.status_code, answer.reason) == (460, "Checksum Mismatch")
    assert upload.offset == 0
    for algorithm, piece, offset in (("sha1", data[:half], 0), ("sha256", data[half:], half)):
        answer = upload.patch(piece, offset, **{"Upload-Checksum": tus.checksum(piece, algorithm)})
        assert answer.status_code == 204, answer.text
    assert_active(session, image, data)


@pytest.mark.parametrize("place", ["header", "metadata"])
def test_expected_digests(deployment, session, image, place):
    data = secrets.token_bytes(SIZE)

    def said(data):
        digests = {
            "x-openstack-image-hash-algo": "sha256",
            "x-openstack-image-hash-value": hashlib.sha256(data).hexdigest(),
        }
        return digests if place == "header" else {"Upload-Metadata": tus.metadata(**digests)}

    upload = tus.Upload.create(session, image, SIZE, **said(b"other"))
    answer = upload.patch(data, 0)
    assert answer.status_code == 400
    assert "nothing of it was kept" in answer.text
    assert upload.head().status_code == 404
    assert status(session, image) == "queued"
    assert_stores_empty(deployment)
    upload = tus.Upload.create(session, image, SIZE, **said(data))
    assert upload.patch(data, 0).status_code == 204
    assert_active(session, image, data)


def test_data_that_is_not_what_it_should_be(deployment, session):
    image = create(deployment, session, disk_format="qcow2")
    upload = tus.Upload.create(session, image, SIZE)
    assert upload.patch(secrets.token_bytes(SIZE // 2), 0).status_code == 204
    answer = upload.patch(secrets.token_bytes(SIZE - SIZE // 2), SIZE // 2)
    assert answer.status_code == 415, answer.text
    assert status(session, image) == "queued"
    assert upload.head().status_code == 404
    assert_stores_empty(deployment)
    assert session.delete(image).status_code == 204


def test_an_image_has_one_upload_at_a_time(deployment, session, image):
    upload = tus.Upload.create(session, image, 10)
    for _ in range(2):
        again = session.post(f"{image}/uploads", headers={**tus.VERSION, "Upload-Length": "10"})
        assert again.status_code == 409
    part = {**tus.VERSION, "Upload-Length": "10", "Upload-Concat": "partial"}
    assert session.post(f"{image}/uploads", headers=part).status_code == 409
    plain = session.put(f"{image}/file", data=b"x", headers={"Content-Type": "application/octet-stream"})
    assert plain.status_code == 409
    assert upload.end().status_code == 204
    assert upload.head().status_code == 404
    assert upload.patch(b"x", 0).status_code == 404
    assert upload.end().status_code == 404
    assert status(session, image) == "queued"
    assert_stores_empty(deployment, seconds=0)


def test_only_who_may_upload_sees_an_upload(deployment, session, image):
    upload = tus.Upload.create(session, image, 10)
    for user, code in (("other", 404), ("reader", 403)):
        foreign = tus.Upload(deployment.session(user), upload.url)
        assert foreign.head().status_code == code
        assert foreign.patch(b"x", 0).status_code == code
        assert foreign.end().status_code == code
    assert tus.Upload(deployment.session("admin"), upload.url).offset == 0
    other = create(deployment, session)
    assert tus.Upload(session, upload.url.replace(image, other)).head().status_code == 404
    for name in ("x", "..%2f", upload.url.rpartition("/")[2] + ".0", "00000000-0000-4000-8000-000000000000"):
        assert tus.Upload(session, f"{image}/uploads/{name}").head().status_code == 404
    assert session.delete(other).status_code == 204


def test_an_image_that_is_deleted_takes_its_upload_along(deployment, session):
    image = create(deployment, session)
    upload = tus.Upload.create(session, image, SIZE)
    assert upload.patch(b"x" * 1000, 0).status_code == 204
    assert stored_files(deployment)
    assert session.delete(image).status_code == 204
    assert_stores_empty(deployment, seconds=0)
    assert upload.head().status_code == 404
    assert upload.patch(b"x", 1000).status_code == 404
    assert rows(deployment, "SELECT * FROM upload_sessions") == []


def test_a_web_page_may_upload(deployment, session, image):
    page = {"Origin": "https://page.example"}
    asked = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "tus-resumable,upload-offset"}
    answer = session.options(f"{image}/uploads/x", headers={**page, **asked})
    assert answer.headers["Access-Control-Allow-Methods"] == "PATCH"
    assert answer.headers["Access-Control-Allow-Headers"] == asked["Access-Control-Request-Headers"]
    upload = tus.Upload.create(session, image, 10, **page)
    exposed = session.head(upload.url, headers={**tus.VERSION, **page}).headers["Access-Control-Expose-Headers"]
    assert {"Upload-Offset", "Upload-Length", "Location"} <= set(exposed.split(","))


# --- several connections ---------------------------------------------------------------------------------------------


def test_parts_at_once(deployment, session, image):
    data = secrets.token_bytes(SIZE)
    third = SIZE // 3
    pieces = [data[:third], data[third : 2 * third], data[2 * third :]]
    parts = tus.Upload.parts(session, image, [len(piece) for piece in pieces])
    assert [part.head().headers["Upload-Concat"] for part in parts] == ["partial"] * 3
    early = tus.concatenate(session, image, parts)
    assert early.status_code == 409, early.text
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda one: one[0].patch(one[1], 0), reversed(list(zip(parts, pieces)))))
    assert [answer.status_code for answer in answers] == [204] * 3
    assert status(session, image) == "saving"
    for wrong in (parts[:2], parts[::-1], [*parts, parts[0]]):
        assert tus.concatenate(session, image, wrong).status_code == 400
    done = tus.concatenate(session, image, parts)
    assert done.status_code == 201, done.text
    assert_active(session, image, data)
    # The answer may have been lost: it is given again.
    assert tus.concatenate(session, image, parts).headers["Location"] == done.headers["Location"]
    whole = session.head(done.headers["Location"], headers=tus.VERSION)
    assert (whole.headers["Upload-Offset"], whole.headers["Upload-Length"]) == (str(SIZE), str(SIZE))
    assert whole.headers["Upload-Concat"] == "final;" + " ".join(p.url.removeprefix(deployment.url) for p in parts)
    assert parts[1].offset == third


def test_parts_whose_digest_is_told_in_the_end(deployment, session, image):
    data = secrets.token_bytes(SIZE)
    for said, code in ((b"other", 400), (data, 201)):
        parts = tus.Upload.parts(session, image, [1000, SIZE - 1000])
        assert parts[1].patch(data[1000:], 0).status_code == 204
        assert parts[0].patch(data[:1000], 0).status_code == 204
        digest = {
            "x-openstack-image-hash-algo": "sha3_256",
            "x-openstack-image-hash-value": hashlib.sha3_256(said).hexdigest(),
        }
        assert tus.concatenate(session, image, parts, **digest).status_code == code
        assert status(session, image) == ("active" if code == 201 else "queued")
    assert_active(session, image, data)


def test_parts_are_bounded_together(deployment, session, image):
    parts = tus.Upload.parts(session, image, [40 << 20])
    headers = {**tus.VERSION, "Upload-Length": str(25 << 20), "Upload-Concat": "partial"}
    assert session.post(f"{image}/uploads", headers=headers).status_code == 413
    assert parts[0].end().status_code == 204
    assert status(session, image) == "queued"


# --- the stock client ------------------------------------------------------------------------------------------------


def client(session, image, **headers):
    names = {name: value for name, value in session.headers.items() if name.startswith("X-")}
    return tusclient.client.TusClient(f"{image}/uploads", headers={**names, **headers})


@pytest.mark.parametrize("with_checksums", [False, True])
def test_tuspy(session, image, tmp_path, with_checksums):
    data = secrets.token_bytes(SIZE)
    file = tmp_path / "disk.raw"
    file.write_bytes(data)
    first = client(session, image).uploader(str(file), chunk_size=300_000, upload_checksum=with_checksums)
    first.upload(stop_at=1_200_000)
    # Another run of the program goes on where this one ended.
    again = client(session, image).uploader(str(file), chunk_size=1 << 20, url=first.url, upload_checksum=with_checksums)
    assert again.offset == 1_200_000
    again.upload()
    assert_active(session, image, data)


def test_tuspy_over_two_connections(session, image, tmp_path):
    data = secrets.token_bytes(SIZE)
    middle = SIZE // 2
    uploaders = []
    for number, piece in enumerate((data[:middle], data[middle:])):
        file = tmp_path / str(number)
        file.write_bytes(piece)
        uploader = client(session, image, **{"Upload-Concat": "partial"}).uploader(str(file), chunk_size=400_000)
        uploader.set_url(uploader.create_url())
        uploaders.append(uploader)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda uploader: uploader.upload(), uploaders))
    assert tus.concatenate(session, image, uploaders).status_code == 201
    assert_active(session, image, data)


def test_tuspy_hears_of_refusals(session, image, tmp_path):
    file = tmp_path / "disk.raw"
    file.write_bytes(b"x" * 1000)
    client(session, image).uploader(str(file), chunk_size=500).upload_chunk()
    with pytest.raises(tusclient.exceptions.TusCommunicationError) as refused:
        client(session, image).uploader(str(file)).upload()
    assert refused.value.status_code == 409


# --- time and death --------------------------------------------------------------------------------------------------


def test_an_upload_that_nobody_goes_on_with_ends(deployments):
    options = {"registry": {"registry": ["upload_session_seconds = 6"]}}
    deployment = deployments.start(auth="noauth", options=options)
    session = deployment.session()
    image, other = create(deployment, session), create(deployment, session)

    def slowly():
        for _ in range(20):
            time.sleep(0.5)
            yield b"x"

    upload, checked = (tus.Upload.create(session, one, SIZE) for one in (image, other))
    checksum = {"Upload-Checksum": tus.checksum(b"x" * 20)}
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(upload.patch, slowly(), 0), pool.submit(checked.patch, slowly(), 0, **checksum)]
    for answer in answers:
        assert answer.result().headers.get("Upload-Offset") == "20", "what comes keeps it alive"
    assert wait_until(lambda: status(session, image) == "queued", seconds=60)
    assert upload.head().status_code == 404
    assert_stores_empty(deployment)
    assert session.put(f"{image}/file", data=b"x", headers={"Content-Type": "application/octet-stream"}).ok


def test_uploads_survive_the_death_of_both_services(deployments):
    """The API dies while bytes come; the registry while it is told of them; then both once more."""
    deployment = deployments.start(auth="noauth")
    session = deployment.session()
    image = create(deployment, session)
    data = secrets.token_bytes(SIZE)
    upload = tus.Upload.create(session, image, SIZE)
    acknowledged = SIZE // 4
    assert upload.patch(data[:acknowledged], 0).status_code == 204
    path = upload.url.removeprefix(deployment.url)
    with Connection(deployment.api.port) as connection:
        headers = {**tus.VERSION, **tus.OCTETS, "Upload-Offset": acknowledged, "Content-Length": SIZE - acknowledged}
        connection.send(head("PATCH", path, headers))
        connection.send(data[acknowledged : acknowledged + SIZE // 4])
        time.sleep(0.3)
        deployment.api.kill()
    deployment.restart(deployment.api)
    found = upload.offset
    assert acknowledged <= found <= acknowledged + SIZE // 4, "what was acknowledged is there"
    deployment.registry.kill()
    failed = upload.patch(data[found:-1], found)
    assert failed.status_code == 503, failed.text
    deployment.restart(deployment.registry)
    assert wait_until(lambda: upload.head().status_code == 200)
    found = upload.offset
    deployment.registry.kill()
    deployment.api.kill()
    deployment.restart(deployment.registry)
    deployment.restart(deployment.api)
    assert upload.offset == found, "it was told, and so is durable"
    assert upload.patch(data[found:], found).status_code == 204
    assert_active(session, image, data)
    assert reread(deployment) >= found
    assert_accounted(deployment)


def test_registry_killed_around_the_end(deployments):
    """Whatever the registry knew of the end when it died, asking for the offset brings it about."""
    seed = secrets.randbits(32)
    moments = random.Random(seed)
    deployment = deployments.start(auth="noauth")
    session = deployment.session()
    for attempt in range(6):
        image = create(deployment, session)
        data = secrets.token_bytes(200_000)
        upload = tus.Upload.create(session, image, len(data))
        delay = moments.uniform(0, 0.04)
        print(f"seed {seed}, attempt {attempt}: the registry dies {delay * 1000:.1f} ms after the last byte")
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            answer = pool.submit(upload.patch, data, 0)
            time.sleep(delay)
            deployment.registry.kill()
            deployment.restart(deployment.registry)
            assert answer.result(60).status_code in (204, 503), answer.result().text
        if answer.result().status_code != 204:
            assert wait_until(lambda: upload.head().status_code == 200)
            found = upload.offset
            assert upload.patch(data[found:], found).status_code == 204
        assert_active(session, image, data)
    assert_accounted(deployment)


def test_api_killed_around_the_end(deployments):
    seed = secrets.randbits(32)
    moments = random.Random(seed)
    deployment = deployments.start(auth="noauth")
    session = deployment.session()
    for attempt in range(4):
        image = create(deployment, session)
        data = secrets.token_bytes(200_000)
        parts = tus.Upload.parts(session, image, [150_000, 50_000])
        assert parts[1].patch(data[150_000:], 0).status_code == 204
        assert parts[0].patch(data[:150_000], 0).status_code == 204
        delay = moments.uniform(0, 0.04)
        print(f"seed {seed}, attempt {attempt}: the API dies {delay * 1000:.1f} ms after it is asked for the end")
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            answer = pool.submit(tus.concatenate, session, image, parts)
            time.sleep(delay)
            deployment.api.kill()
            deployment.restart(deployment.api)
            answer.exception(60)
        assert tus.concatenate(deployment.session(), image, parts).status_code == 201
        assert_active(deployment.session(), image, data)
    assert_accounted(deployment)


def test_another_node_says_whose_the_upload_is(deployments):
    deployment = deployments.start(auth="noauth")
    session = deployment.session()
    image = create(deployment, session)
    upload = tus.Upload.create(session, image, 10)
    second = deployment.add_api()
    elsewhere = tus.Upload(session, upload.url.replace(deployment.url, second.url))
    for answer in (elsewhere.head(), elsewhere.patch(b"1234567890", 0), elsewhere.end()):
        assert answer.status_code == 409
    assert "Another node" in elsewhere.patch(b"1234567890", 0).text
    assert upload.patch(b"1234567890", 0).status_code == 204
    assert_active(session, image, b"1234567890")
    assert elsewhere.offset == 10, "what is finished, everybody knows"


def test_uploads_count_against_quotas(deployments):
    options = {"api": {"DEFAULT": ["user_storage_quota = 1000"]}}
    deployment = deployments.start(auth="trusted_headers", options=options)
    session = deployment.session("member")
    first, second = create(deployment, session), create(deployment, session)
    parts = tus.Upload.parts(session, first, [600, 300])
    another = {**tus.VERSION, "Upload-Length": "101"}
    assert session.post(f"{first}/uploads", headers={**another, "Upload-Concat": "partial"}).status_code == 413
    assert session.post(f"{second}/uploads", headers=another).status_code == 413
    assert [part.patch(b"x" * length, 0).status_code for part, length in zip(parts, (600, 300))] == [204, 204]
    assert tus.concatenate(session, first, parts).status_code == 201
    assert session.post(f"{second}/uploads", headers=another).status_code == 413
    upload = tus.Upload.create(session, second, 100)
    assert upload.end().status_code == 204
    assert tus.Upload.create(session, second, 100).patch(b"y" * 100, 0).status_code == 204
