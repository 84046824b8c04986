"""Identity headers from other machines: whom they are believed from."""

import socket

import pytest
import requests


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
    return session.get(f"https://{address}:{deployment.api.port}/v2/images", cert=pair, timeout=10)


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


def test_unless_the_address_is_listed(start, address):
    deployment = start(trusted_headers=[f"allowed_addresses = {address}"])
    assert ask(deployment, address, has_certificate=False).status_code == 200
