"""Each pair of sample configurations starts and serves, changed in nothing but its paths and addresses."""

import os
import pathlib
import re
import secrets
import shutil
import subprocess
import tempfile

import pytest
import requests

import databases
from ports import free_port
from services import HEALTHY_SECONDS, PROGRAMS, ROOT, Program, wait_until

DEPLOY = ROOT / "deploy"
PASSWORD = secrets.token_urlsafe(18)


class Samples:
    """A registry and an API by the files of one directory, as if it were /etc/glance on a machine of its own."""

    def __init__(self, samples):
        # A short path: that of a Unix socket may have 107 bytes.
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="glance-"))
        self.etc = self.directory / "etc"
        for name in ("etc", "run", "var", "var/images"):
            (self.directory / name).mkdir()
        self.registry_port, self.api_port = free_port(), free_port()
        self.database = None
        for path in samples.glob("glance-*.conf"):
            (self.etc / path.name).write_text(self.moved(path.read_text()))
        self.programs = [
            Program(name, self.etc / f"{name}.conf", self.directory / f"{name}.log")
            for name in ("glance-registry", "glance-api")
        ]

    def moved(self, text):
        """With this machine's paths and addresses."""
        for path, name in {"/etc/glance": "etc", "/var/lib/glance": "var", "/run/glance": "run"}.items():
            text = re.sub(rf"{path}(?=/)", f"{self.directory}/{name}", text)
        text = re.sub(r"^bind_host = .*", "bind_host = 127.0.0.1", text, flags=re.M)
        text = text.replace("bind_port = 9191", f"bind_port = {self.registry_port}")
        text = text.replace("bind_port = 9292", f"bind_port = {self.api_port}")
        text = re.sub(r"(https?)://[\w.-]+:9191", rf"\1://127.0.0.1:{self.registry_port}", text)
        if "postgresql://glance:secret@db-1/glance\n" in text:
            if databases.POSTGRESQL is None:
                pytest.skip("GLANCE_TEST_POSTGRESQL names no database")
            self.database = databases.PostgreSQL(self.directory)
            self.database.create()
            text = text.replace("postgresql://glance:secret@db-1/glance\n", f"{self.database.url}\n")
        return text

    def run(self, *command, **arguments):
        environment = {**os.environ, "PATH": f"{PROGRAMS}:{os.environ['PATH']}", "GLANCE_ADMIN_PASSWORD": PASSWORD}
        done = subprocess.run(
            [str(part) for part in command], capture_output=True, text=True, timeout=120, env=environment, **arguments
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def prepare_as_written(self):
        """By the commands that the samples' comments give."""
        comments = "".join((DEPLOY / f"etc/{name}.conf").read_text() for name in ("glance-registry", "glance-api"))
        keys = re.search(r"^#\s+(\(umask 077;.*\))$", comments, re.M)[1]
        self.run("bash", "-c", self.moved(keys))
        user = re.search(r"^#\s+(glance-api user .*)$", comments, re.M)[1]
        self.run("bash", "-c", self.moved(user) + " --password-stdin", input=PASSWORD + "\n")
        if any("/tls/" in path.read_text() for path in self.etc.glob("*.conf")):
            for name in ("registry-1", "api-1"):
                self.run(DEPLOY / "make-certificates", self.etc / "tls", name, "IP:127.0.0.1")
        self.run("glance-manage", "--config-file", self.etc / "glance-registry.conf", "db", "sync")

    def prepare_as_container(self):
        (self.etc / "secrets").mkdir()
        script = self.etc / "setup.sh"
        script.write_text(self.moved((DEPLOY / "container/setup.sh").read_text()))
        self.run("bash", script)

    def start(self):
        for program in self.programs:
            program.start()
        url = f"http://127.0.0.1:{self.api_port}"
        ready = wait_until(lambda: is_healthy(url) or not all(p.is_alive for p in self.programs), HEALTHY_SECONDS)
        assert ready and is_healthy(url), "".join(program.log[-2000:] for program in self.programs)
        return url

    def stop(self):
        statuses = [program.stop() for program in reversed(self.programs)]
        if self.database:
            self.database.remove()
        assert statuses == [0, 0], statuses
        shutil.rmtree(self.directory)


def is_healthy(url):
    try:
        return requests.get(url + "/healthcheck", timeout=5).status_code == 200
    except requests.RequestException:
        return False


@pytest.mark.parametrize("folder", ["etc", "etc/many-nodes", "container"])
def test_the_samples_start_and_serve(folder):
    samples = Samples(DEPLOY / folder)
    try:
        if folder == "container":
            samples.prepare_as_container()
        else:
            samples.prepare_as_written()
        url = samples.start()
        session = requests.Session()
        session.trust_env = False
        session.auth = ("admin", PASSWORD)
        kind = {"Content-Type": "application/octet-stream"}
        data = secrets.token_bytes(100_000)
        for place in ("file", "stage"):
            body = {"disk_format": "raw", "container_format": "bare"}
            image = session.post(f"{url}/v2/images", json=body, timeout=30).json()["id"]
            answer = session.put(f"{url}/v2/images/{image}/{place}", data=data, headers=kind, timeout=30)
            assert answer.status_code == 204, answer.text
            kept = samples.directory / "var" / {"file": "images", "stage": "staging"}[place] / image
            assert kept.read_bytes() == data
        for program in samples.programs:
            assert "unknown" not in program.log.lower(), program.log
    finally:
        samples.stop()
