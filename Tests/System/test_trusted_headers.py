"""Identity headers from other machines: whom they are believed from."""

import json
import socket
import struct

import pytest
import requests

from services import wait_until

RESETS = 100


@pytest.fixture(scope="module")
def address():
    """One of this machine's that is not a loopback address: who connects to it comes from it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no address but loopback ones")
        found = probe.getsockname()[0]
    if found.startswith("127."):
        pytest.skip("this machine has no address but loopback ones")
    return found


@pytest.fixture
def start(deployments, address):
    """Starts an API for which everybody is on another machine."""

    def started(asks_for_certificates=False, **sections):
        options = {"api": {"DEFAULT": ["bind_host = 0.0.0.0"], **sections}}
        deployment = deployments.prepare(auth="trusted_headers", transport="tls", options=options)
        deployment.addresses = (f"IP:{address}",)
        files = deployment.certificates
        if asks_for_certificates:
            options["api"]["DEFAULT"].append(f"ca_file = {files}/ca.pem")
            deployment.client_certificate = (files / "client.pem", files / "client.key")
        return deployment.start()

    return started


def ask(deployment, address, has_certificate=True):
    session = deployment.session("member")
    files = deployment.certificates
    pair = (files / "client.pem", files / "client.key") if has_certificate else None
    return session.get(f"https://{address}:{deployment.api.port}/v2/images", cert=pair, timeout=30)


def test_a_client_certificate_makes_headers_believed(start, address):
    deployment = start(asks_for_certificates=True)
    assert ask(deployment, address).status_code == 200
    with pytest.raises(requests.RequestException):
        ask(deployment, address, has_certificate=False)


def test_from_elsewhere_they_are_not(start, address):
    """The server does not ask for certificates here, so that showing one proves nothing."""
    deployment = start()
    for has_certificate in (True, False):
        assert ask(deployment, address, has_certificate=has_certificate).status_code == 401
    assert ask(deployment, "127.0.0.1").status_code == 200
    assert "identity headers from a peer that is not trusted" in deployment.api.log


def test_metrics_are_not_for_strangers(deployments, address):
    options = {"api": {"DEFAULT": ["bind_host = 0.0.0.0"]}}
    deployment = deployments.prepare(auth="trusted_headers", options=options).start()
    assert requests.get(f"{deployment.url}/metrics", timeout=10).status_code == 200
    assert requests.get(f"http://{address}:{deployment.api.port}/metrics", timeout=10).status_code == 404


def test_unless_the_address_is_listed(start, address):
    deployment = start(trusted_headers=[f"allowed_addresses = {address}"])
    assert ask(deployment, address, has_certificate=False).status_code == 200


def send_and_reset(address, port, head, body):
    """Leaves a whole request behind, and takes the connection away from under it."""
    fields = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    request = f"POST /v2/metadefs/namespaces HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n{fields}\r\n"
    connection = socket.create_connection((address, port), 10)
    connection.sendall(request.encode() + body)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def test_a_reset_behind_a_request_makes_nobody_believed(deployments, address):
    """A server that asked a closed connection who was at its other end would find nobody there."""
    options = {"api": {"DEFAULT": ["bind_host = 0.0.0.0"]}}
    deployment = deployments.prepare(auth="trusted_headers", transport="tcp", options=options).start()
    admin = deployment.session("admin")
    head = {**{name: value for name, value in admin.headers.items() if name.startswith("X-")}}
    head["Content-Type"] = "application/json"
    before = deployment.api.log.count("A request was refused")

    def send():
        for number in range(RESETS):
            body = json.dumps({"namespace": f"reset-{number}"}).encode()
            send_and_reset(address, deployment.api.port, head, body)
        return deployment.api.log.count("A request was refused") - before >= RESETS // 10

    # The system may drop what a connection that was reset had brought, but hardly ever all of it.
    assert wait_until(send, 60)
    # Whoever asks for these is the last one in the queue of connections.
    names = admin.get(f"{deployment.url}/v2/metadefs/namespaces?limit=1000", timeout=60).json()["namespaces"]
    assert [row["namespace"] for row in names if row["namespace"].startswith("reset-")] == []
    # What the server does not believe here, it does from where it should.
    made = admin.post(f"{deployment.url}/v2/metadefs/namespaces", json={"namespace": "reset-0"}, timeout=30)
    assert made.status_code == 201
