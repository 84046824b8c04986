"""Starts the real programs on free loopback ports, in a directory of their own, and stops them."""

import base64
import dataclasses
import os
import pathlib
import secrets
import signal
import socket
import subprocess
import time

import requests

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = pathlib.Path(os.environ.get("GLANCE_PROGRAMS", ROOT / ".build" / "debug"))
HEALTHY_SECONDS = 30
# A graceful stop waits for running transfers; the tests leave none behind that take longer.
STOPPED_SECONDS = 60


def free_port():
    """A port of the loopback interface that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(question, seconds=15, every=0.05):
    """The first true answer of `question`, or its last answer when the time is up."""
    deadline = time.monotonic() + seconds
    while True:
        answer = question()
        if answer or time.monotonic() > deadline:
            return answer
        time.sleep(every)


@dataclasses.dataclass(frozen=True)
class User:
    name: str
    project: str
    roles: str
    password: str = dataclasses.field(default_factory=lambda: secrets.token_urlsafe(18))


class Program:
    """One process of a service, and its log over all of its starts."""

    def __init__(self, name, configuration, log):
        self.name = name
        self.command = [str(PROGRAMS / name), "--config-file", str(configuration)]
        self.log_file = log
        self.process = None

    @property
    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    @property
    def is_alive(self):
        return self.process is not None and self.process.poll() is None

    def start(self):
        assert not self.is_alive, f"{self.name} runs already"
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def send(self, number):
        self.process.send_signal(number)

    def kill(self):
        """As a power cut would: nothing of it gets to run any more."""
        self.process.kill()
        self.process.wait(STOPPED_SECONDS)

    def stop(self):
        """SIGTERM; the exit status."""
        if self.process is None:
            return 0
        if self.is_alive:
            self.send(signal.SIGCONT)
            self.send(signal.SIGTERM)
        try:
            return self.process.wait(STOPPED_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not stop on SIGTERM; its log ends: {self.log[-2000:]}") from None


class Registry(Program):
    def __init__(self, deployment):
        super().__init__("glance-registry", deployment.registry_configuration, deployment.directory / "registry.log")
        self.deployment = deployment

    def get(self, path):
        """A GET that needs no signature; over the Unix socket by curl, which can."""
        if self.deployment.transport == "tcp":
            return requests.get(f"http://127.0.0.1:{self.deployment.registry_port}{path}", timeout=10).text
        command = ["curl", "-sS", "-f", "-m", "10", "--unix-socket", str(self.deployment.socket)]
        return subprocess.run([*command, f"http://localhost{path}"], check=True, capture_output=True, text=True).stdout

    def is_healthy(self):
        try:
            return "OK" in self.get("/healthcheck")
        except (requests.RequestException, subprocess.CalledProcessError):
            return False


class API(Program):
    def __init__(self, deployment, name="api", port=None):
        self.port = port or free_port()
        self.configuration = deployment.directory / f"glance-{name}.conf"
        super().__init__("glance-api", self.configuration, deployment.directory / f"{name}.log")
        self.url = f"http://127.0.0.1:{self.port}"

    def is_healthy(self):
        try:
            return requests.get(self.url + "/healthcheck", timeout=10).status_code == 200
        except requests.RequestException:
            return False


class Deployment:
    """One registry and one or more APIs, as an operator would set them up.

    `options` are lines added to a section: {"api": {"DEFAULT": ["debug = true"]}, "registry": {…}}.
    """

    def __init__(self, directory, auth="http_basic", transport="tcp", stores=(), lease_seconds=60, options=None):
        self.directory = directory
        self.auth = auth
        self.transport = transport
        self.lease_seconds = lease_seconds
        self.options = options or {}
        self.registry_port = free_port()
        self.socket = directory / "r.sock"
        self.registry_configuration = directory / "glance-registry.conf"
        self.database = directory / "glance.db"
        self.key_file = directory / "registry.key"
        self.user_file = directory / "users"
        self.stores = {name: directory / f"images-{name}" for name in stores or ("default",)}
        self.is_multi_store = bool(stores)
        self.users = {
            user.name: user
            for user in (
                User("admin", "admin", "admin,manager,member,reader"),
                User("member", "demo", "member,reader"),
                User("reader", "demo", "reader"),
                User("other", "other", "member,reader"),
            )
        }
        self.endpoint_override = None
        # Without it, what else is in the configuration has to say how callers are identified.
        self.names_strategy = True
        self.registry = Registry(self)
        self.api = API(self)
        self.programs = [self.registry, self.api]

    # --- setting up ---------------------------------------------------------------------------------------------

    def start(self):
        self.write_secrets()
        self.write_registry_configuration()
        self.write_api_configuration(self.api)
        self.manage("db", "sync")
        self.start_program(self.registry)
        self.start_program(self.api)
        return self

    def start_program(self, program):
        program.start()
        healthy = wait_until(lambda: program.is_healthy() or not program.is_alive, HEALTHY_SECONDS)
        assert healthy and program.is_alive, f"{program.name} did not become healthy: {program.log[-3000:]}"

    def add_api(self):
        """A second API beside the first: same registry, same stores."""
        api = API(self, name=f"api{len(self.programs)}")
        self.write_api_configuration(api)
        self.programs.append(api)
        self.start_program(api)
        return api

    def restart(self, program):
        self.start_program(program)

    def write_secrets(self):
        secret = base64.b64encode(secrets.token_bytes(32)).decode()
        self.key_file.write_text(f"key-1 {secret}\n")
        self.key_file.chmod(0o600)
        if self.auth == "http_basic":
            for user in self.users.values():
                self.add_user(user)

    def add_user(self, user):
        command = [PROGRAMS / "glance-api", "user", "--file", self.user_file, "--name", user.name]
        command += ["--project", user.project, "--roles", user.roles, "--password-stdin"]
        subprocess.run(command, input=user.password + "\n", text=True, check=True, timeout=60)

    def manage(self, *arguments):
        command = [PROGRAMS / "glance-manage", "--config-file", self.registry_configuration, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout

    def write_registry_configuration(self):
        listen = {
            "tcp": ["bind_host = 127.0.0.1", f"bind_port = {self.registry_port}"],
            "unix": [f"bind_socket = {self.socket}"],
        }
        sections = {
            "DEFAULT": listen[self.transport],
            "registry": [f"key_file = {self.key_file}", f"upload_lease_seconds = {self.lease_seconds}"],
            "database": [f"connection = sqlite:///{self.database}"],
        }
        self.write(self.registry_configuration, sections, self.options.get("registry", {}))

    def write_api_configuration(self, api):
        sections = {
            "DEFAULT": [
                "bind_host = 127.0.0.1",
                f"bind_port = {api.port}",
            ],
            "registry": [f"endpoints = {self.registry_endpoint}", f"key_file = {self.key_file}"],
            "glance_store": [],
        }
        if self.names_strategy:
            sections["DEFAULT"].append(f"auth_strategy = {self.auth}")
        if self.auth == "http_basic":
            sections["DEFAULT"].append(f"http_basic_auth_user_file = {self.user_file}")
        if self.is_multi_store:
            backends = ", ".join(f"{name}:file" for name in self.stores)
            sections["DEFAULT"].append(f"enabled_backends = {backends}")
            sections["glance_store"].append(f"default_backend = {next(iter(self.stores))}")
            for name, folder in self.stores.items():
                sections[name] = [f"filesystem_store_datadir = {folder}"]
            for name in ("os_glance_staging_store", "os_glance_tasks_store"):
                sections[name] = [f"filesystem_store_datadir = {self.directory / name}"]
        else:
            sections["glance_store"].append(f"filesystem_store_datadir = {self.stores['default']}")
        self.write(pathlib.Path(api.command[-1]), sections, self.options.get("api", {}))

    @property
    def registry_endpoint(self):
        if self.endpoint_override:
            return self.endpoint_override
        return f"unix:{self.socket}" if self.transport == "unix" else f"http://127.0.0.1:{self.registry_port}"

    @staticmethod
    def write(path, sections, more):
        lines = []
        for name in dict.fromkeys([*sections, *more]):
            lines += [f"[{name}]", *sections.get(name, []), *more.get(name, []), ""]
        path.write_text("\n".join(lines))

    # --- using it -----------------------------------------------------------------------------------------------

    @property
    def url(self):
        return self.api.url

    def session(self, user="admin", accept="application/json"):
        """A requests session that is `user` in the way this deployment's strategy wants it."""
        session = requests.Session()
        session.trust_env = False
        who = self.users[user]
        if self.auth == "http_basic":
            session.auth = (who.name, who.password)
        elif self.auth == "trusted_headers":
            session.headers.update(
                {
                    "X-Identity-Status": "Confirmed",
                    "X-User-Id": who.name,
                    "X-Project-Id": who.project,
                    "X-Roles": who.roles,
                }
            )
        session.headers["Accept"] = accept
        return session

    def secret_texts(self):
        """What may never be in a log or an answer: passwords, their headers, hashes, and the services' key."""
        texts = [line.split()[1] for line in self.key_file.read_text().splitlines() if line.strip()]
        if self.auth == "http_basic":
            for user in self.users.values():
                texts += [user.password, base64.b64encode(f"{user.name}:{user.password}".encode()).decode()]
            texts += [line.split(":")[1] for line in self.user_file.read_text().splitlines() if ":" in line]
        return texts

    # --- the end ------------------------------------------------------------------------------------------------

    def stop(self):
        """APIs first, then the registry; checks how each ended and what it logged."""
        statuses = {}
        for program in reversed(self.programs):
            was_alive = program.is_alive
            try:
                status = program.stop()
            except AssertionError as error:
                status = str(error)
            if was_alive:
                statuses[program.log_file.name] = status
        assert all(status == 0 for status in statuses.values()), f"a graceful stop must exit with 0: {statuses}"
        for program in self.programs:
            assert "Fatal error" not in program.log, program.log[-3000:]
            for secret in self.secret_texts():
                assert secret not in program.log, f"a secret is in {program.log_file.name}"
