"""Services that are changed, watched and stopped while they work: keys, certificates, draining, overload, systemd."""

import base64
import contextlib
import secrets
import signal
import socket
import sqlite3
import threading
import time

import pytest
import requests

import databases
from services import make_certificates, wait_until


def key_line(name):
    return f"{name} {base64.b64encode(secrets.token_bytes(32)).decode()}\n"


def replace(path, text):
    """As an operator should: a new file in the place of the old."""
    new = path.with_name(path.name + ".new")
    new.write_text(text)
    new.chmod(0o600)
    new.rename(path)


class Load:
    """Clients that create, read and change images until they are stopped, and keep what failed."""

    def __init__(self, deployment, threads=4):
        self.deployment = deployment
        self.done = 0
        self.failures = []
        self.is_over = False
        self.threads = [threading.Thread(target=self.run) for _ in range(threads)]

    def run(self):
        session = self.deployment.session()
        images = self.deployment.url + "/v2/images"
        patch = {"Content-Type": "application/openstack-images-v2.1-json-patch"}
        while not self.is_over:
            try:
                answers = [session.post(images, json={"name": "load"}, timeout=30)]
                if answers[0].status_code == 201:
                    url = f"{images}/{answers[0].json()['id']}"
                    change = [{"op": "add", "path": "/step", "value": "1"}]
                    answers += [session.get(url, timeout=30), session.patch(url, json=change, headers=patch, timeout=30)]
                self.done += len(answers)
                self.failures += [f"{a.request.method} {a.status_code} {a.text}" for a in answers if a.status_code >= 400]
            except requests.RequestException as error:
                self.failures.append(str(error))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.is_over = True
        for thread in self.threads:
            thread.join(60)

    def wait(self, more=40):
        """Until so many more requests were answered."""
        target = self.done + more
        assert wait_until(lambda: self.done >= target or self.failures, 60), "nothing is answered any more"
        assert self.failures == []


def test_keys_are_rotated_under_load_without_a_failed_request(deployments):
    deployment = deployments.prepare(auth="noauth")
    api_keys = deployment.directory / "api.keys"
    deployment.options = {"api": {"registry": [f"key_file = {api_keys}"]}}
    old, new = key_line("old"), key_line("new")
    replace(api_keys, old)
    deployment.write_secrets()
    replace(deployment.key_file, old)
    deployment.write_registry_configuration()
    deployment.write_api_configuration(deployment.api)
    deployment.manage("db", "sync")
    for program in deployment.programs:
        deployment.start_program(program)

    both = {api_keys: deployment.api, deployment.key_file: deployment.registry}
    with Load(deployment) as load:
        load.wait()
        # The new key is known everywhere before anybody signs with it, and the old one goes last. Each service is told
        # by SIGHUP in one step and finds out by itself in another.
        for number, text in enumerate([old + new, new + old, new]):
            for path, program in both.items():
                read_before = program.log.count("Files were read anew")
                replace(path, text)
                if number % 2 == 0:
                    program.send(signal.SIGHUP)
                assert wait_until(lambda: program.log.count("Files were read anew") > read_before, 60), program.log[-2000:]
                load.wait()
        # A file that is broken changes nothing.
        for path, program in both.items():
            replace(path, "new !!!\n")
            program.send(signal.SIGHUP)
            assert wait_until(lambda: "not usable" in program.log), program.log[-2000:]
            load.wait()
            replace(path, new)
    assert load.failures == []
    print(f"{load.done} requests while keys were rotated")
    for line in (old, new):
        secret = line.split()[1]
        assert all(secret not in program.log for program in deployment.programs)


def test_tls_on_both_sides_and_new_certificates(deployments):
    deployment = deployments.start(transport="tls")
    session = deployment.session()
    links = session.get(deployment.url + "/versions").json()["versions"][0]["links"]
    assert links[0]["href"].startswith(deployment.url + "/"), "links keep to https"
    created = session.post(deployment.url + "/v2/images", json={"disk_format": "raw", "container_format": "bare"})
    assert created.status_code == 201, created.text
    url = f"{deployment.url}/v2/images/{created.json()['id']}"
    data = secrets.token_bytes(3_000_000)
    stored = session.put(url + "/file", data=data, headers={"Content-Type": "application/octet-stream"})
    assert stored.status_code == 204, stored.text
    assert session.get(url + "/file").content == data

    # Nobody without a certificate gets a word from the registry, and nobody speaks plain HTTP with either.
    with pytest.raises(requests.RequestException):
        requests.get(deployment.registry.endpoint + "/healthcheck", verify=deployment.authority, timeout=10)
    for port in (deployment.registry.port, deployment.api.port):
        with pytest.raises(requests.RequestException):
            requests.get(f"http://127.0.0.1:{port}/healthcheck", timeout=10)

    # All certificates are replaced, of a new authority: what connects anew believes only that.
    for name in ("ca.pem", "ca.key", "ca.srl"):
        (deployment.certificates / name).unlink()
    make_certificates(deployment.certificates)
    for program in deployment.programs:
        program.send(signal.SIGHUP)
    assert wait_until(lambda: all(p.log.count("Files were read anew") for p in deployment.programs))
    assert wait_until(deployment.registry.is_healthy) and wait_until(deployment.api.is_healthy)
    fresh = deployment.session()
    assert fresh.get(url + "/file").content == data
    deployment.registry.stop()
    deployment.restart(deployment.registry)
    assert fresh.get(url).json()["status"] == "active", "over a connection made with the new certificates"


def test_a_service_that_drains_says_so_and_answers(deployments):
    # Long enough to be asked meanwhile; on a busy machine that is longer.
    assert any(drains(deployments, seconds) for seconds in (3, 12, 48))


def drains(deployments, seconds):
    """Whether both services do as they should; not known where one had ended before it was asked."""
    drain = {"DEFAULT": [f"drain_seconds = {seconds}"]}
    deployment = deployments.start(auth="noauth", options={"api": drain, "registry": drain})
    for program, url in ((deployment.api, deployment.url), (deployment.registry, deployment.registry.endpoint)):
        begun = time.monotonic()
        program.send(signal.SIGTERM)
        # In a list, since an answer that is an error counts as false.
        answers = []
        try:
            wait_until(
                lambda: answers.append(requests.get(url + "/healthcheck", timeout=30)) or answers[-1].status_code == 503
            )
            listed = requests.get(url + "/v2/images", timeout=30) if program is deployment.api else None
        except requests.ConnectionError:
            assert time.monotonic() - begun >= seconds, "it ends too early"
            return False
        answer = answers[-1]
        assert (answer.status_code, answer.text) == (503, "SHUTTING DOWN")
        assert answer.headers["Connection"].lower() == "close"
        if listed is not None:
            assert listed.status_code == 200
            assert listed.headers["Connection"].lower() == "close"
        assert program.process.wait(60 + seconds) == 0
    return True


@pytest.mark.skipif(databases.KIND != "sqlite", reason="the database is locked from outside as only SQLite can be")
def test_overload_is_answered_with_503_and_when_to_come_back(deployments):
    deployment = deployments.start(auth="noauth", options={"registry": {"registry": ["max_exchanges = 2"]}})
    images = deployment.url + "/v2/images"
    assert deployment.session().post(images, json={"name": "before"}).status_code == 201
    answers = []

    def create():
        answers.append(deployment.session().post(images, json={"name": "load"}, timeout=60))

    # Somebody else holds the database's lock: what is written waits, and two may wait.
    with contextlib.closing(sqlite3.connect(deployment.database.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        threads = [threading.Thread(target=create) for _ in range(120)]
        for thread in threads:
            thread.start()
        # Both health checks answer all the while.
        for _ in range(20):
            assert requests.get(deployment.url + "/healthcheck", timeout=20).status_code == 200
            time.sleep(0.05)
        wait_until(lambda: any(answer.status_code == 503 for answer in answers), 20)
        other.execute("ROLLBACK")
    for thread in threads:
        thread.join(60)
    refused = [answer for answer in answers if answer.status_code == 503]
    assert refused, "more than two waited"
    assert {answer.status_code for answer in answers} <= {201, 503}
    for answer in refused:
        assert int(answer.headers["Retry-After"]) > 0
        assert answer.json()["title"] == "Service Unavailable"
    # Afterwards all is as before, and what was refused was not done.
    names = [i["name"] for i in deployment.session().get(images + "?limit=1000").json()["images"]]
    assert names.count("load") == len(answers) - len(refused)


def test_systemd_is_told_when_a_service_is_ready_and_when_it_ends(deployments):
    deployment = deployments.prepare(auth="noauth")
    path = deployment.directory / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(60)
        deployment.write_secrets()
        deployment.write_registry_configuration()
        deployment.write_api_configuration(deployment.api)
        deployment.manage("db", "sync")
        for program in deployment.programs:
            program.environment = {"NOTIFY_SOCKET": str(path)}
            program.start()
            assert manager.recv(4096).startswith(b"READY=1\n")
            assert program.is_healthy(), "ready means that requests are answered"
            program.send(signal.SIGHUP)
            assert manager.recv(4096).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
            assert manager.recv(4096).startswith(b"READY=1\n")
        for program in reversed(deployment.programs):
            assert program.stop() == 0
            assert manager.recv(4096).startswith(b"STOPPING=1\n")
