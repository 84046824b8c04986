"""Many nodes on loopback: PostgreSQL of their own, two registries, two APIs, and haproxy with deploy/'s configuration."""

import os
import pathlib
import signal
import subprocess
import tempfile

import requests

from ports import free_port
from services import API, ROOT, Deployment, Program, Registry, wait_until


class Server:
    """A PostgreSQL that is the test's own, to be killed: Tests/Backends/postgresql.sh in a directory of its own."""

    name = "postgresql"
    kind = "postgresql"

    def __init__(self):
        self.script = ROOT / "Tests/Backends/postgresql.sh"
        # The server's own user must be able to pass through.
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="glance-pg-"))
        self.directory.chmod(0o755)
        self.environment = {**os.environ, "BACKENDS_DIR": str(self.directory), "POSTGRESQL_PORT": str(free_port())}

    def run(self, *arguments):
        done = subprocess.run([self.script, *arguments], env=self.environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self):
        self.run("start")
        lines = dict(line.removeprefix("export ").split("=", 1) for line in self.run("env").splitlines())
        self.url = lines["POSTGRESQL_URL"]
        self.secrets = (lines["POSTGRESQL_PASSWORD"],)

    def create(self):
        """The script has made the database."""

    def remove(self):
        self.run("wipe")
        # Not all of it is ours to know; what is left is a few log files.
        subprocess.run(["rm", "-rf", str(self.directory)], check=False)

    def rows(self, query):
        lines = self.run("psql", "-q", "-A", "-t", "-F", "\x1f", "-v", "ON_ERROR_STOP=1", "-c", query).splitlines()
        return [tuple(line.split("\x1f")) for line in lines]

    def end(self, number):
        """SIGINT ends sessions and writes all out; SIGQUIT leaves everything as a crash would."""
        pid = int((self.directory / "postgresql/run/postgres.pid").read_text().split()[0])
        os.kill(pid, signal.SIGQUIT if number == signal.SIGKILL else signal.SIGINT)
        assert wait_until(lambda: not is_running(pid), 30), "PostgreSQL did not end"

    def restart(self):
        self.run("start")


def is_running(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


class Balancer(Program):
    def __init__(self, cluster):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        super().__init__("haproxy", ROOT / "deploy/haproxy/haproxy.cfg", cluster.directory / "haproxy.log")
        self.command = ["haproxy", "-db", "-f", self.command[-1]]
        self.environment = {
            "GLANCE_BIND": f"127.0.0.1:{self.port}",
            "GLANCE_API_1": f"127.0.0.1:{cluster.apis[0].port}",
            "GLANCE_API_2": f"127.0.0.1:{cluster.apis[1].port}",
        }

    def is_healthy(self):
        try:
            return requests.get(self.url + "/healthcheck", timeout=5).status_code == 200
        except requests.RequestException:
            return False

    def stop(self):
        # haproxy ends with the signal's own status.
        status = super().stop()
        return 0 if status in (0, 128 + signal.SIGTERM, -signal.SIGTERM) else status


class Cluster(Deployment):
    def __init__(self, directory, **arguments):
        super().__init__(directory, auth="noauth", **arguments)
        self.database = Server()
        self.registries.append(Registry(self, name="registry-2"))
        self.apis = [self.api, API(self, name="api-2")]
        self.balancer = Balancer(self)
        # They stop in the reverse of this order.
        self.programs = [*self.registries, *self.apis, self.balancer]

    def start(self):
        self.database.start()
        self.write_secrets()
        for registry in self.registries:
            self.write_registry_configuration(registry)
        for api in self.apis:
            self.write_api_configuration(api)
        self.manage("db", "sync")
        for program in self.programs:
            self.start_program(program)
        return self

    @property
    def url(self):
        """Through the load balancer."""
        return self.balancer.url

    def end(self, target, number):
        if target is self.database:
            target.end(number)
        elif number == signal.SIGKILL:
            target.kill()
        else:
            assert target.stop() == 0, target.log[-3000:]

    def restart(self, target):
        if target is self.database:
            target.restart()
        else:
            self.start_program(target)
