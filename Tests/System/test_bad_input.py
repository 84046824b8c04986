"""Input that no client should send: a clear 4xx in the form that was asked for, a live process, and nothing leaked."""

import json
import shutil
import socket
import subprocess

import pytest
import requests

from audit import assert_stores_empty
from services import wait_until
from wire import Connection, exchange, head

OCTETS = {"Content-Type": "application/octet-stream"}
JSON = {"Accept": "application/json", "Content-Type": "application/json"}
HUNDRED_MEGABYTES = 100 * 1000 * 1000


@pytest.fixture(scope="module", params=["http_basic", "noauth"])
def deployment(request, shared_deployments):
    return shared_deployments.start(auth=request.param)


@pytest.fixture
def session(deployment):
    return deployment.session()


@pytest.fixture(autouse=True)
def survives(deployment):
    """After each test: both processes live, the service works, and the logs hold no secret."""
    processes = (deployment.api.process.pid, deployment.registry.process.pid)
    yield
    assert deployment.api.is_alive and deployment.registry.is_alive
    assert (deployment.api.process.pid, deployment.registry.process.pid) == processes
    assert deployment.session().get(f"{deployment.url}/v2/images", timeout=30).status_code == 200
    for program in deployment.programs:
        assert not [secret for secret in deployment.secret_texts() if secret in program.log], program.name


@pytest.fixture
def send(deployment, session):
    """Sends a request by hand, as a known user; refuses an answer that tells about the machine."""

    def send(method, target, headers=None, body=b"", seconds=60):
        known = credentials(session, deployment.url)
        headers = {"Accept": "application/json", "Connection": "close", **known, **(headers or {})}
        answer = exchange(deployment.api.port, method, target, headers, body, seconds)
        assert_nothing_leaks(deployment, answer.raw.decode("latin-1"))
        return answer

    return send


def credentials(session, url):
    """The header by which this session says who it is; empty where nobody asks."""
    prepared = session.prepare_request(requests.Request("GET", url))
    return {name: value for name, value in prepared.headers.items() if name == "Authorization"}


def assert_nothing_leaks(deployment, text):
    for private in (str(deployment.directory), "sqlite", ".swift:", *deployment.secret_texts()):
        assert private not in text, f"{private!r} is in the answer: {text[:500]}"


def assert_refused(answer, *statuses):
    """A 4xx of the expected kind, as the JSON that was asked for."""
    assert answer.status in statuses, answer
    assert answer.headers.get("content-type", "").startswith("application/json"), answer
    body = json.loads(answer.body)
    assert set(body) == {"message", "code", "title"}
    assert body["code"].startswith(str(answer.status))
    assert all(isinstance(value, str) for value in body.values())


def create(deployment, session, **fields):
    body = {"disk_format": "raw", "container_format": "bare", **fields}
    answer = session.post(f"{deployment.url}/v2/images", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


# --- uploads ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("declared", [0, 9, 11, 10**12], ids=["unknown", "smaller", "larger", "huge"])
def test_declared_size_against_the_real_one(deployment, session, send, declared):
    image_id = create(deployment, session)
    headers = {**OCTETS, "Content-Length": 10, "x-openstack-image-size": declared}
    answer = send("PUT", f"/v2/images/{image_id}/file", headers, b"0123456789")
    record = session.get(f"{deployment.url}/v2/images/{image_id}").json()
    if declared == 0:
        assert answer.status == 204
        assert (record["status"], record["size"]) == ("active", 10)
        session.delete(f"{deployment.url}/v2/images/{image_id}")
    elif declared > shutil.disk_usage(deployment.directory).free:
        assert_refused(answer, 413)
        assert b"Image storage media is full" in answer.body
        assert (record["status"], record["size"]) == ("queued", None)
    else:
        assert_refused(answer, 400)
        assert (record["status"], record["size"], record["checksum"]) == ("queued", None, None)
        phrase = b"Size exceeds: expected 9 bytes" if declared == 9 else b"Size mismatch"
        assert phrase in answer.body
    assert_stores_empty(deployment)


@pytest.mark.parametrize("value", ["ten", "-1", "1.5", "9" * 30])
def test_a_size_that_is_none(deployment, session, send, value):
    image_id = create(deployment, session)
    headers = {**OCTETS, "Content-Length": 1, "x-openstack-image-size": value}
    answer = send("PUT", f"/v2/images/{image_id}/file", headers, b"x")
    assert_refused(answer, 400)
    assert b"Invalid or missing image size in request headers." in answer.body


@pytest.mark.parametrize("path", ["file", "stage"])
@pytest.mark.parametrize("image_id", ["abc", "00000000-0000-4000-8000-00000000dead"])
def test_a_size_is_looked_at_before_the_image(send, path, image_id):
    headers = {**OCTETS, "Content-Length": 1, "x-openstack-image-size": "ten"}
    answer = send("PUT", f"/v2/images/{image_id}/{path}", headers, b"x")
    assert_refused(answer, 400)
    assert b"Invalid or missing image size in request headers." in answer.body


@pytest.mark.parametrize("begun", [True, False], ids=["begun", "at-once"])
def test_a_body_that_ends_early(deployment, session, begun):
    image_id = create(deployment, session)

    def status():
        return session.get(f"{deployment.url}/v2/images/{image_id}").json()["status"]

    with Connection(deployment.api.port) as connection:
        connection.send(upload_head(session, deployment, image_id, {"Content-Length": 1000}))
        connection.send(b"only this")
        if begun:
            assert wait_until(lambda: status() == "saving")
    # The line that every request leaves when it has ended.
    assert wait_until(lambda: f"path=/v2/images/{image_id}/file status=" in deployment.api.log)
    assert status() == "queued"
    assert_stores_empty(deployment)


@pytest.mark.parametrize("half", [True, False], ids=["half-closed", "closed"])
def test_chunks_that_end_early(deployment, session, half):
    """Nobody declared a length, so that only the missing last chunk tells it from a whole image."""
    image_id = create(deployment, session)
    url = f"{deployment.url}/v2/images/{image_id}"
    with Connection(deployment.api.port) as connection:
        connection.send(upload_head(session, deployment, image_id, {"Transfer-Encoding": "chunked"}))
        connection.send(b"5\r\nabcde\r\n")
        assert wait_until(lambda: session.get(url).json()["status"] == "saving")
        if half:
            connection.socket.shutdown(socket.SHUT_WR)
            assert connection.answer().status in (0, 400)
    assert wait_until(lambda: session.get(url).json()["status"] != "saving")
    assert session.get(url).json()["status"] == "queued"
    assert_stores_empty(deployment)


def test_chunks_that_are_none(deployment, session):
    image_id = create(deployment, session)
    with Connection(deployment.api.port) as connection:
        connection.send(upload_head(session, deployment, image_id, {"Transfer-Encoding": "chunked"}))
        connection.send(b"5\r\nabcde\r\nZZZ\r\nnonsense\r\n\r\n")
        answer = connection.answer()
    assert answer.status == 0 or 400 <= answer.status < 500
    assert_nothing_leaks(deployment, answer.raw.decode("latin-1"))
    assert wait_until(lambda: session.get(f"{deployment.url}/v2/images/{image_id}").json()["status"] == "queued")
    assert_stores_empty(deployment)


def upload_head(session, deployment, image_id, headers):
    known = credentials(session, deployment.url)
    return head("PUT", f"/v2/images/{image_id}/file", {**OCTETS, **known, **headers})


def test_a_client_that_waits_is_told_to_continue(deployment, session):
    image_id = create(deployment, session)
    with Connection(deployment.api.port) as connection:
        headers = {"Content-Length": 5, "Expect": "100-continue"}
        connection.send(upload_head(session, deployment, image_id, headers))
        assert connection.answer(10).status == 100
        connection.send(b"12345")
        assert connection.answer().status == 204


def test_a_client_that_waits_is_refused_before_it_sends(deployment, session):
    image_id = create(deployment, session)
    with Connection(deployment.api.port) as connection:
        headers = {"Content-Length": 5, "Expect": "100-continue", "Content-Type": "text/plain"}
        connection.send(upload_head(session, deployment, image_id, headers))
        assert connection.answer(10).status == 415


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_curl_uploads_without_waiting(deployment, session, tmp_path):
    image_id = create(deployment, session)
    (tmp_path / "data").write_bytes(bytes(2_000_000))
    command = ["curl", "-sS", "-T", tmp_path / "data", "-H", "Content-Type: application/octet-stream", "-v"]
    command += ["-H", "Expect: 100-continue"]
    if session.auth:
        command += ["-u", ":".join(session.auth)]
    url = f"{deployment.url}/v2/images/{image_id}/file"
    result = subprocess.run([*command, url], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    assert "100 Continue" in result.stderr
    assert "Done waiting for 100-continue" not in result.stderr
    assert session.get(f"{deployment.url}/v2/images/{image_id}").json()["status"] == "active"


# --- JSON -----------------------------------------------------------------------------------------------------------

BODIES = [
    ("", "Body expected in request."),
    ("{", "Malformed JSON in request body."),
    ('{"name": "x",}', "Malformed JSON in request body."),
    ('{"name": "x"} trailing', "Malformed JSON in request body."),
    ('{"name": NaN}', "Malformed JSON in request body."),
    ("true", "Unexpected body type. Expected list/dict."),
    ('"text"', "Unexpected body type. Expected list/dict."),
    ("123", "Unexpected body type. Expected list/dict."),
    ("[]", ""),
    ('{"name": 5}', "Provided object does not match schema 'image'"),
    ('{"some_property": 5}', "Provided object does not match schema 'image'"),
    ('{"id": "not-a-uuid"}', "Provided object does not match schema 'image'"),
    ('{"min_disk": -1}', ""),
    ('{"min_ram": 99999999999999999999}', ""),
    ('{"disk_format": "floppy"}', "Provided object does not match schema 'image'"),
    ('{"name": "%s"}' % ("x" * 256), ""),
]


@pytest.mark.parametrize(("body", "phrase"), BODIES, ids=[body[:24] or "nothing" for body, _ in BODIES])
def test_json_that_is_no_image(send, body, phrase):
    data = body.encode()
    answer = send("POST", "/v2/images", {**JSON, "Content-Length": len(data)}, data)
    assert_refused(answer, 400)
    assert phrase in json.loads(answer.body)["message"]


def test_json_nested_too_deeply(send):
    for data in (b"[" * 100_000, b'{"a":' * 50_000, b'{"name":' + b"[" * 5000 + b"]" * 5000 + b"}"):
        assert_refused(send("POST", "/v2/images", {**JSON, "Content-Length": len(data)}, data), 400)


def test_a_hundred_megabytes_of_json(send):
    chunk = b" " * 1_000_000
    headers = {**JSON, "Content-Length": HUNDRED_MEGABYTES}
    answer = send("POST", "/v2/images", headers, (chunk for _ in range(HUNDRED_MEGABYTES // len(chunk))))
    assert_refused(answer, 413)


def test_a_hundred_megabytes_of_json_of_unknown_length(send):
    chunk = b"f4240\r\n" + b" " * 1_000_000 + b"\r\n"
    headers = {**JSON, "Transfer-Encoding": "chunked"}
    assert_refused(send("POST", "/v2/images", headers, (chunk for _ in range(100))), 413)


def test_bytes_that_are_no_text(send):
    data = b'{"name": "\xff\xfe"}'
    answer = send("POST", "/v2/images", {**JSON, "Content-Length": len(data)}, data)
    assert_refused(answer, 400)
    answer = send("GET", "/v2/images?name=%FF")
    assert_refused(answer, 400)
    assert b"Error decoding your request" in answer.body


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("v2.1", '{"op": "add"}'),
        ("v2.1", '["x"]'),
        ("v2.1", '[{"path": "/a", "value": "b"}]'),
        ("v2.1", '[{"op": "move", "path": "/a", "value": "b"}]'),
        ("v2.1", '[{"op": "add", "path": "a", "value": "b"}]'),
        ("v2.1", '[{"op": "add", "path": "/a//b", "value": "b"}]'),
        ("v2.1", '[{"op": "add", "path": "/a/", "value": "b"}]'),
        ("v2.1", '[{"op": "add", "path": "/a~2", "value": "b"}]'),
        ("v2.1", '[{"op": "add", "path": "/a/b", "value": "c"}]'),
        ("v2.1", '[{"op": "add", "path": "/a"}]'),
        ("v2.0", '[{"add": "/a", "remove": "/b", "value": "c"}]'),
        ("v2.0", '[{"value": "c"}]'),
    ],
)
def test_patches_that_are_none(deployment, session, send, media_type, body):
    image_id = create(deployment, session)
    content_type = f"application/openstack-images-{media_type}-json-patch"
    headers = {"Content-Type": content_type, "Content-Length": len(body)}
    assert_refused(send("PATCH", f"/v2/images/{image_id}", headers, body.encode()), 400)


@pytest.mark.parametrize("name", ["status", "checksum", "size", "created_at", "self", "id", "os_hash_value"])
def test_patches_of_what_is_the_services(deployment, session, send, name):
    image_id = create(deployment, session)
    body = json.dumps([{"op": "replace", "path": f"/{name}", "value": "x"}]).encode()
    content_type = "application/openstack-images-v2.1-json-patch"
    headers = {"Content-Type": content_type, "Content-Length": len(body)}
    answer = send("PATCH", f"/v2/images/{image_id}", headers, body)
    assert_refused(answer, 403)
    assert f"Attribute '{name}' is read-only." in json.loads(answer.body)["message"]


def test_reserved_properties(send):
    for name in ("os_glance_anything", "deleted", "location"):
        body = json.dumps({name: "x"}).encode()
        answer = send("POST", "/v2/images", {**JSON, "Content-Length": len(body)}, body)
        assert_refused(answer, 403)
        assert f"Attribute '{name}' is reserved." in json.loads(answer.body)["message"]


# --- heads ----------------------------------------------------------------------------------------------------------


def test_huge_headers(send, deployment):
    for headers in ({"X-Huge": "x" * 100_000}, {f"X-Many-{i}": "x" * 100 for i in range(1000)}):
        answer = send("GET", "/v2/images", headers)
        assert answer.status in (400, 431), answer
    answer = send("GET", "/v2/images?name=" + "x" * 100_000)
    assert answer.status in (400, 414, 431), answer


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Length": ["5", "6"]},
        {"Content-Length": "5, 6"},
        {"Content-Length": "-5"},
        {"Content-Length": "five"},
        {"Content-Length": "5", "Transfer-Encoding": "chunked"},
        {"Transfer-Encoding": "nonsense"},
    ],
    ids=str,
)
def test_lengths_that_could_smuggle_a_request(deployment, session, send, headers):
    """Whatever follows the ambiguous request must not be answered as a request of its own."""
    smuggled = b"0\r\n\r\nDELETE /v2/images/x HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = send("POST", "/v2/images", {**JSON, **headers}, smuggled, seconds=10)
    assert answer.status in (0, 400, 413, 501), answer
    assert answer.raw.count(b"HTTP/1.1 ") <= 1, answer.raw


def test_what_is_not_http(deployment):
    for data in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64), b"HELLO\r\n\r\n", b"GET\r\n\r\n", bytes(5000)):
        with Connection(deployment.api.port) as connection:
            connection.send(data)
            answer = connection.answer(10)
        assert answer.status == 0 or 400 <= answer.status < 500, (data[:20], answer)


IDS = [
    "..",
    "../../../etc/passwd",
    "%2e%2e",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "..%5c..%5cetc",
    "x" * 4000,
    "not-a-uuid",
    "00000000-0000-0000-0000-00000000000g",
    "00000000-0000-0000-0000-0000000000000",
    "%7B%7D",
    "'%20OR%201=1%20--",
    "*",
    # One of no image, and the same for every process that collects the tests.
    "5e1c1516-6954-4ec4-b1e0-0c9b2e8d7a41",
]


@pytest.mark.parametrize("image_id", IDS, ids=[i[:20] for i in IDS])
@pytest.mark.parametrize(("method", "suffix"), [("GET", ""), ("GET", "/file"), ("PUT", "/file"), ("DELETE", "")])
def test_ids_that_are_none(send, image_id, method, suffix):
    headers, body = ({**OCTETS, "Content-Length": 1}, b"x") if method == "PUT" else ({}, b"")
    answer = send(method, f"/v2/images/{image_id}{suffix}", headers, body)
    assert_refused(answer, 404)
    assert b"root:" not in answer.raw
    if method == "DELETE" and "/" not in image_id and "%" not in image_id:
        assert f"Failed to find image {image_id[:64]} to delete" in answer.body.decode()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/images/%00"), ("GET", "/images/a%00b/file"), ("DELETE", "/images/%00"),
        ("PUT", "/images/{id}/tags/a%00"), ("DELETE", "/images/{id}/tags/%00"), ("GET", "/images?tag=%00"),
        ("GET", "/images?name=a%00b"), ("GET", "/images?%00=x"), ("GET", "/images?os_distro=in:%00,x"),
        ("GET", "/images?owner=%00"), ("GET", "/images?marker=%00"), ("GET", "/images/{id}/members/%00"),
        ("DELETE", "/images/{id}/members/a%00"), ("GET", "/metadefs/namespaces/%00"), ("GET", "/info/usage?x=%00"),
    ],
)  # fmt: skip
def test_null_characters_in_a_url(deployment, session, send, method, path):
    if "{id}" in path:
        path = path.replace("{id}", create(deployment, session))
    answer = send(method, f"/v2{path}")
    assert_refused(answer, 400)
    assert b"The URL holds a null character" in answer.body


@pytest.mark.parametrize(
    "query",
    [
        "limit=99999999999999999999",
        "sort_key=nothing",
        "sort=name:sideways",
        "sort=name&sort_key=name",
        "visibility=nobody",
        "os_hidden=perhaps",
        "protected=False",
        "created_at=yesterday",
        "created_at=before:2020-01-01",
        "size_min=large",
        "name=in:%22open",
        "status=like:x",
        "changes-since=2020",
        "member_status=unsure",
    ],
)
def test_queries_that_are_none(send, query):
    answer = send("GET", f"/v2/images?{query}")
    if query.startswith("limit"):
        # A number all the same, and capped like any other.
        assert answer.status in (200, 400)
    else:
        assert_refused(answer, 400)


def test_bodies_where_none_belongs(deployment, session, send):
    image_id = create(deployment, session)
    for method, path in [
        ("GET", ""),
        ("GET", "/file"),
        ("DELETE", ""),
        ("PUT", "/tags/x"),
        ("DELETE", "/tags/x"),
        ("POST", "/actions/deactivate"),
    ]:
        answer = send(method, f"/v2/images/{image_id}{path}", {"Content-Length": 2}, b"{}")
        assert_refused(answer, 400)
        assert b"A body is not expected with this request." in answer.body


def test_a_tag_that_is_too_long(deployment, session, send):
    image_id = create(deployment, session)
    assert_refused(send("PUT", f"/v2/images/{image_id}/tags/{'x' * 256}"), 400)


@pytest.mark.parametrize("value", ["Basic", "Basic !!!", "Basic bm9jb2xvbg==", "Basic " + "A" * 5000, "Bearer x", "Basic /w=="])
def test_credentials_that_are_none(deployment, value):
    if deployment.auth != "http_basic":
        # Nobody looks at them here.
        value = "Basic bm9jb2xvbg=="
    headers = {"Accept": "application/json", "Authorization": value, "Connection": "close"}
    answer = exchange(deployment.api.port, "GET", "/v2/images", headers)
    assert_nothing_leaks(deployment, answer.raw.decode("latin-1"))
    assert answer.status == (401 if deployment.auth == "http_basic" else 200)


def test_more_filters_than_a_database_takes(send):
    query = "&".join(f"property_{number}=x" for number in range(200))
    assert_refused(send("GET", f"/v2/images?{query}", {"Accept": "application/json"}), 400)


def test_a_null_character_in_a_document(send):
    assert_refused(send("POST", "/v2/images", JSON, b'{"name": "a\\u0000b"}'), 400)


def test_a_complete_upload_with_the_next_request_behind_it(deployment, session):
    image_id = create(deployment, session)
    known = credentials(session, deployment.url)
    following = head("POST", "/v2/images", {**JSON, **known, "Content-Length": 100})
    with Connection(deployment.api.port) as connection:
        connection.send(upload_head(session, deployment, image_id, {"Content-Length": 5}) + b"hello" + following + b"{")
        assert connection.answer().status == 204
    assert session.get(f"{deployment.url}/v2/images/{image_id}").json()["status"] == "active"
