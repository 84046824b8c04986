"""When a connection is closed behind an answer: clients that read until then would wait for ever otherwise."""

import pytest

from wire import Connection, head


@pytest.fixture(scope="module")
def deployment(shared_deployments):
    return shared_deployments.start(auth="noauth")


def read_to_the_end(deployment, request):
    """Everything that comes until the other side closes, which a time-out says it does not."""
    with Connection(deployment.api.port) as connection:
        connection.send(request)
        raw = b""
        while data := connection.read_some():
            raw += data
        return raw


def uploaded(deployment, data):
    session = deployment.session()
    body = {"disk_format": "raw", "container_format": "bare"}
    image_id = session.post(f"{deployment.url}/v2/images", json=body).json()["id"]
    sent = session.put(
        f"{deployment.url}/v2/images/{image_id}/file", data=data, headers={"Content-Type": "application/octet-stream"}
    )
    assert sent.status_code == 204, sent.text
    return image_id


OLD = head("GET", "TARGET").replace(b"HTTP/1.1", b"HTTP/1.0")
ENDINGS = {
    "HTTP/1.0": OLD,
    "HTTP/1.0 that would be kept": OLD[:-2] + b"Connection: keep-alive\r\n\r\n",
    **{
        f"Connection: {value}": head("GET", "TARGET", {"Connection": value})
        for value in ("close", "Close", "CLOSE", "TE, close", ["TE", "close"])
    },
}


@pytest.mark.parametrize("request_bytes", ENDINGS.values(), ids=ENDINGS.keys())
@pytest.mark.parametrize("target", ["list", "data", "none"])
def test_a_connection_ends_behind_the_answer(deployment, target, request_bytes):
    data = bytes(range(256)) * 4096
    path = {"list": "/v2/images", "none": "/v2/images/none", "data": None}[target]
    path = path or f"/v2/images/{uploaded(deployment, data)}/file"
    raw = read_to_the_end(deployment, request_bytes.replace(b"TARGET", path.encode()))
    said, _, body = raw.partition(b"\r\n\r\n")
    version = b"HTTP/1.0" if b"HTTP/1.0" in request_bytes else b"HTTP/1.1"
    assert said.startswith(version + (b" 404" if target == "none" else b" 200")), said
    assert b"connection: close" in said.lower()
    assert b"transfer-encoding" not in said.lower()
    if target == "data":
        assert body == data


def test_only_the_last_of_several_requests_ends_it(deployment):
    requests = head("GET", "/v2/schemas/image") + head("GET", "/v2/schemas/image") + OLD.replace(b"TARGET", b"/versions")
    raw = read_to_the_end(deployment, requests)
    assert raw.count(b"HTTP/1.1 200") == 2
    assert raw.count(b"HTTP/1.0 200") == 1
    assert raw.lower().count(b"connection: close") == 1
    assert raw.index(b"HTTP/1.0") > raw.rindex(b"HTTP/1.1")


@pytest.mark.parametrize("coding", ["gzip, chunked", "gzip", "identity", "chunked, chunked", ["gzip", "chunked"]], ids=str)
def test_data_in_a_coding_that_is_not_known_is_not_stored(deployment, coding):
    session = deployment.session()
    body = {"disk_format": "raw", "container_format": "bare"}
    image_id = session.post(f"{deployment.url}/v2/images", json=body).json()["id"]
    headers = {"Content-Type": "application/octet-stream", "Transfer-Encoding": coding}
    raw = read_to_the_end(deployment, head("PUT", f"/v2/images/{image_id}/file", headers) + b"4\r\ndata\r\n0\r\n\r\n")
    assert raw[9:12] in (b"400", b"501"), raw
    if coding == "gzip, chunked":
        assert b"501 Not Implemented" in raw and b"transfer coding" in raw, raw
    assert session.get(f"{deployment.url}/v2/images/{image_id}").json()["status"] == "queued"
