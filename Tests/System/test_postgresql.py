"""The registry over real PostgreSQL servers that fail over, freeze, speak TLS, start late, or are configured wrong."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import pytest
import requests

from preloads import compiled
from services import PROGRAMS, Deployment, Registry, wait_until
from standby import OwnServer, Standby

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not pathlib.Path("/etc/debian_version").exists(),
    reason="PostgreSQL is installed and started by root on Debian only",
)


@pytest.fixture
def server():
    server = OwnServer()
    server.start()
    yield server
    server.remove()


class OnServer(Deployment):
    """One registry and one API, on a server that the test owns and may reach by any URL."""

    def __init__(self, server, url=None, **arguments):
        super().__init__(pathlib.Path(tempfile.mkdtemp(prefix="glance-")), auth="noauth", **arguments)
        self.database = Database(server, url or server.url)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.stop()
        if kind is None:
            shutil.rmtree(self.directory)


class Database:
    """The server as a deployment knows it, which does not end with the deployment."""

    kind = "postgresql"

    def __init__(self, server, url):
        self.url = url
        self.secrets = server.secrets

    def create(self):
        """It is there."""

    def remove(self):
        """The test's business."""


def create(deployment, name="image"):
    return deployment.session().post(f"{deployment.url}/v2/images", json={"name": name}, timeout=60)


def listed(deployment):
    return deployment.session().get(f"{deployment.url}/v2/images", params={"limit": 1}, timeout=60)


def test_a_promoted_standby_is_found_and_nothing_answered_for_is_lost(server):
    standby = Standby(server)
    try:
        standby.start()
        url = server.url.replace(f":{server.port}/", f":{standby.port},127.0.0.1:{server.port}/")
        # The standby is named first: it answers, and is passed over for it may not be written.
        url += "?target_session_attrs=read-write&connect_timeout=3"
        with OnServer(server, url) as deployment:
            deployment.start()
            made, failures, ends = [], [], threading.Event()

            def write():
                while not ends.is_set():
                    answer = create(deployment, f"image {len(made)}")
                    (made if answer.status_code == 201 else failures).append(answer)

            writer = threading.Thread(target=write)
            writer.start()
            assert wait_until(lambda: len(made) >= 10)
            server.end(signal.SIGKILL)
            before = len(made)
            standby.promote()
            went_on = wait_until(lambda: len(made) >= before + 10, 60)
            ends.set()
            writer.join(60)
            assert went_on, deployment.registry.log[-3000:]
            # A request waits up to 20 s for a server that writes: long enough for this one.
            assert failures == [], failures[0].text
            names = [answer.json()["name"] for answer in made]
            kept = standby.ask("SELECT name FROM images").splitlines()
            assert sorted(kept) == sorted(names), "each is there once"
    finally:
        standby.stop()


def test_tls_is_verified_against_an_authority_of_ones_own(server, tmp_path):
    authority = server.use_tls()
    url = server.parameters(sslmode="verify-full", sslrootcert=authority)
    with OnServer(server, url) as deployment:
        deployment.start()
        assert create(deployment).status_code == 201
        sessions = """SELECT DISTINCT s.ssl FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid)
            WHERE a.application_name = 'glance-registry'"""
        assert server.administer(sessions) == "t"
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(server.directory / "tls/server.pem", other / "ca.pem")
    for parameters, said in [
        ({"sslmode": "verify-full", "sslrootcert": other / "ca.pem"}, "certificate verify failed"),
        ({"sslmode": "verify-full", "sslrootcert": tmp_path / "none.pem"}, "does not exist"),
        ({"sslmode": "disable"}, "no encryption"),
    ]:
        with OnServer(server, server.parameters(**parameters)) as deployment:
            assert said in refused_start(deployment)


def refused_start(deployment):
    """What a registry says that ends at once instead of waiting."""
    deployment.write_secrets()
    deployment.write_registry_configuration()
    begun = time.monotonic()
    command = [PROGRAMS / "glance-registry", "--config-file", deployment.registry_configuration]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert time.monotonic() - begun < 20, "it waited"
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    for secret in deployment.secret_texts():
        assert secret not in done.stderr + done.stdout
    return last


def test_mistakes_end_the_start_at_once_with_what_to_change(server):
    secret = server.secrets[0]
    for url, said in [
        (server.url.replace(secret, "an0ther-s3cret"), "Correct the user or the password in [database] connection"),
        (server.url.removesuffix("/glance") + "/images", "Create the database"),
        (server.parameters(sslmode="perhaps"), 'invalid sslmode value: "perhaps"'),
        (server.parameters(sslmode="require"), "server does not support SSL"),
        (server.parameters(hosts="db"), "has parameters that libpq knows"),
    ]:
        with OnServer(server, url) as deployment:
            last = refused_start(deployment)
            assert said in last and "s3cret" not in last, last


def test_a_server_that_starts_later_is_waited_for():
    server = OwnServer()
    server.start()
    try:
        with OnServer(server) as deployment:
            deployment.options = {"registry": {"database": ["retry_interval = 1", "max_retries = 30"]}}
            deployment.write_secrets()
            deployment.write_registry_configuration()
            deployment.write_api_configuration(deployment.api)
            deployment.manage("db", "sync")
            server.end(signal.SIGINT)
            deployment.registry.start()
            assert wait_until(lambda: "not there yet" in deployment.registry.log)
            assert deployment.registry.is_alive
            server.restart()
            assert wait_until(deployment.registry.is_healthy, 30), deployment.registry.log
            deployment.start_program(deployment.api)
            assert create(deployment).status_code == 201
    finally:
        server.remove()


def test_a_server_that_says_nothing_is_waited_for_in_bounds_and_used_again(server):
    with OnServer(server) as deployment:
        deployment.options = {"registry": {"database": ["pool_timeout = 5"]}}
        deployment.start()
        assert create(deployment).status_code == 201
        health = deployment.registry.endpoint + "/healthcheck"
        assert requests.get(health, timeout=30).text == "OK"
        server.freeze()
        try:
            answers = []
            # A balancer hears soon that nobody should be sent here, and so does every later one.
            for _ in range(2):
                begun = time.monotonic()
                sick = requests.get(health, timeout=60)
                assert (sick.status_code, sick.text) == (503, "DATABASE STALLED")
                assert time.monotonic() - begun < 20

            def ask(question):
                begun = time.monotonic()
                answers.append((question(deployment).status_code, time.monotonic() - begun))

            threads = [threading.Thread(target=ask, args=(question,)) for question in [create, listed] * 8]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
            assert len(answers) == len(threads)
            assert {status for status, _ in answers} == {503}
            # An API repeats writes for up to 20 s, and its last exchange may take half of that.
            assert max(seconds for _, seconds in answers) < 45, answers
            assert deployment.registry.is_alive and deployment.api.is_alive
        finally:
            server.thaw()
        assert wait_until(deployment.registry.is_healthy, 60), deployment.registry.log[-3000:]
        assert wait_until(lambda: listed(deployment).status_code == 200, 60), deployment.registry.log[-3000:]
        assert wait_until(lambda: create(deployment, "after").status_code == 201, 60), deployment.registry.log[-3000:]


class TwoRegistries(OnServer):
    def __init__(self, server):
        super().__init__(server)
        self.registries.append(Registry(self, name="registry-2"))
        self.programs.insert(1, self.registries[1])

    def start(self):
        self.write_secrets()
        for registry in self.registries:
            self.write_registry_configuration(registry)
        self.write_api_configuration(self.api)
        self.manage("db", "sync")
        for program in self.programs:
            self.start_program(program)
        return self


def test_many_writers_of_one_images_tags_all_succeed_over_two_registries(server):
    with TwoRegistries(server).start() as deployment:
        apis = [deployment.api, deployment.add_api()]
        image = create(deployment).json()["id"]
        answers = []

        def write(number):
            session = deployment.session()
            for turn in range(6):
                url = f"{apis[(number + turn) % 2].url}/v2/images/{image}/tags/tag-{number}-{turn}"
                answers.append(session.put(url, timeout=60))
            url = f"{apis[number % 2].url}/v2/images/{image}/tags/tag-{number}-0"
            answers.append(session.delete(url, timeout=60))

        threads = [threading.Thread(target=write, args=(number,)) for number in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        assert {answer.status_code for answer in answers} == {204}, [a.text for a in answers if a.status_code != 204][:3]
        tags = deployment.session().get(f"{deployment.url}/v2/images/{image}").json()["tags"]
        assert sorted(tags) == sorted(f"tag-{number}-{turn}" for number in range(12) for turn in range(1, 6))
        for registry in deployment.registries:
            assert 'operation="images.update"' in registry.get("/metrics"), "both registries took part"


def test_a_registry_whose_clock_is_wrong_ends_no_upload(server, tmp_path):
    clock = tmp_path / "clock"
    with OnServer(server, lease_seconds=20) as deployment:
        deployment.registry.environment = {
            "LD_PRELOAD": compiled("changed_clock.c", tmp_path),
            "CHANGED_CLOCK": str(clock),
        }
        deployment.start()
        session = deployment.session()
        formats = {"disk_format": "raw", "container_format": "bare"}
        url = session.post(f"{deployment.url}/v2/images", json=formats, timeout=60).json()["self"]
        url = deployment.url + url

        def data():
            yield b"first"
            assert wait_until(lambda: deployment.session().get(url, timeout=60).json()["status"] == "saving", 60)
            # More than the lease, and less than a signature may be off.
            clock.write_text("50")
            # Told at the end of a round of housekeeping, which would have ended the upload.
            assert wait_until(lambda: "[database] connection" in deployment.registry.log, 60), deployment.registry.log
            yield b"second"

        octets = {"Content-Type": "application/octet-stream"}
        answer = session.put(url + "/file", data=data(), headers=octets, timeout=120)
        assert answer.status_code == 204, answer.text
        shown = session.get(url, timeout=60).json()
        assert (shown["status"], shown["size"]) == ("active", len(b"firstsecond"))
        metrics = deployment.registry.get("/metrics")
        assert 'registry_clock_difference_seconds{to="database"} 50' in metrics or 'to="database"} 49' in metrics
