"""Refusals of uploads: given before the body is read, and never hidden by a reset, whatever the client does."""

import socket
import threading
import time
import uuid

import pytest
import requests

from wire import Connection, head

OCTETS = {"Content-Type": "application/octet-stream"}
# More than any buffer on the way has room for, and no more than a busy machine moves in the time that is listened to.
MEGABYTES = 128


@pytest.fixture(scope="module")
def deployment(shared_deployments):
    return shared_deployments.start(options={"api": {"DEFAULT": ["image_size_cap = 1000000"]}})


def create(deployment):
    body = {"disk_format": "raw", "container_format": "bare"}
    return deployment.session("member").post(f"{deployment.url}/v2/images", json=body).json()["id"]


@pytest.fixture(scope="module")
def queued(deployment):
    return create(deployment)


@pytest.fixture(scope="module")
def active(deployment):
    image = create(deployment)
    url = f"{deployment.url}/v2/images/{image}/file"
    assert deployment.session("member").put(url, data=b"data", headers=OCTETS).status_code == 204
    return image


REFUSALS = {
    401: ("queued", None, {}),
    403: ("queued", "reader", {}),
    404: ("missing", "member", {}),
    409: ("active", "member", {}),
    413: ("queued", "member", {}),
    415: ("queued", "member", {"Content-Type": "text/plain"}),
    400: ("queued", "member", {"x-openstack-image-checksum": "none"}),
}


@pytest.fixture(params=REFUSALS)
def refused(request, deployment, queued, active):
    """A status, and a request that gets it: target and headers."""
    image, user, headers = REFUSALS[request.param]
    image = {"queued": queued, "active": active, "missing": str(uuid.uuid4())}[image]
    known = {}
    if user:
        prepared = deployment.session(user).prepare_request(requests.Request("GET", deployment.url))
        known = {"Authorization": prepared.headers["Authorization"]}
    # 409 and the like come before the size is looked at.
    return request.param, f"/v2/images/{image}/file", {**OCTETS, **known, **headers}


def test_a_client_that_asks_first_sends_nothing(deployment, refused):
    status, target, headers = refused
    with Connection(deployment.api.port) as connection:
        length = {"Content-Length": MEGABYTES << 20, "Expect": "100-continue"}
        connection.send(head("PUT", target, {**headers, **length}))
        answer = connection.answer(10)
        assert answer.status == status, answer
        assert answer.headers["connection"] == "close"
        assert connection.read_some() == b"", "nothing follows, and no 100 came before"


def test_a_client_that_sends_nothing_yet(deployment, refused):
    status, target, headers = refused
    with Connection(deployment.api.port) as connection:
        connection.send(head("PUT", target, {**headers, "Content-Length": MEGABYTES << 20}))
        assert connection.answer(10).status == status


# A length that nobody declared is not too large yet: 413 is for declared ones.
@pytest.mark.parametrize(
    ("refused", "chunked"),
    [(status, chunked) for status in REFUSALS for chunked in (False, True) if (status, chunked) != (413, True)],
    indirect=["refused"],
)
def test_a_client_that_sends_everything_before_it_reads(deployment, refused, chunked):
    status, target, headers = refused
    piece = bytes(1 << 20)
    length = {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": MEGABYTES << 20}
    if chunked:
        piece = b"100000\r\n" + piece + b"\r\n"
    with Connection(deployment.api.port, timeout=60) as connection:
        connection.send(head("PUT", target, {**headers, **length}))
        for _ in range(MEGABYTES):
            connection.send(piece)
        if chunked:
            connection.send(b"0\r\n\r\n")
        assert connection.answer().status == status
        assert connection.read_some() == b"", "the end of the connection is no reset"


@pytest.mark.parametrize("refused", [401, 413], indirect=True)
def test_a_slow_client_is_heard_out(deployment, refused):
    """It pauses, and all the same it finds its answer when it is done. (It takes seconds: one of each kind.)"""
    status, target, headers = refused
    with Connection(deployment.api.port) as connection:
        connection.send(head("PUT", target, {**headers, "Content-Length": 8 << 20}))
        for _ in range(8):
            connection.send(bytes(1 << 20))
            time.sleep(1)
        assert connection.answer().status == status


def test_a_client_that_goes_on_for_ever_is_cut_off(deployment):
    """Its connection ends, and holds nothing up meanwhile."""
    with Connection(deployment.api.port, timeout=60) as connection:
        connection.send(head("PUT", f"/v2/images/{uuid.uuid4()}/file", {**OCTETS, "Transfer-Encoding": "chunked"}))
        ended = threading.Event()

        def send():
            piece = b"1\r\nx\r\n"
            try:
                while True:
                    connection.send(piece)
                    time.sleep(0.05)
            except OSError:
                ended.set()

        threading.Thread(target=send, daemon=True).start()
        assert connection.answer(10).status == 401
        started = time.monotonic()
        assert requests.get(deployment.url + "/healthcheck", timeout=25).status_code == 200
        assert ended.wait(90), "30 seconds are the most that is listened to"
        assert time.monotonic() - started < 90


def test_a_client_that_stops_sending_is_let_go(deployment):
    with Connection(deployment.api.port, timeout=30) as connection:
        connection.send(head("PUT", f"/v2/images/{uuid.uuid4()}/file", {**OCTETS, "Content-Length": 1000}))
        connection.send(b"only this")
        assert connection.answer(10).status == 401
        assert connection.read_some() == b""
        # The server's side is over; after the pause its port is gone as well. What comes before makes it wait again.
        assert any(is_let_go(connection) for _ in range(6)), "it is waited for for ever"
        assert connection.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) in (0, 104, 32)


def is_let_go(connection):
    """Whether nobody is there any more after a pause longer than the server's."""
    time.sleep(7)
    try:
        for _ in range(10):
            connection.socket.send(b"more")
            time.sleep(0.1)
    except OSError:
        return True
    return False
