"""Starts the real programs on free loopback ports, in a directory of their own, and stops them."""

import base64
import dataclasses
import os
import pathlib
import secrets
import signal
import subprocess
import time

import requests

from databases import database_for
from ports import free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = pathlib.Path(os.environ.get("GLANCE_PROGRAMS", ROOT / ".build" / "debug"))
HEALTHY_SECONDS = 30
# A graceful stop waits for running transfers; the tests leave none behind that take longer.
STOPPED_SECONDS = 60


def wait_until(question, seconds=15, every=0.05):
    """The first true answer of `question`, or its last answer when the time is up."""
    deadline = time.monotonic() + seconds
    while True:
        answer = question()
        if answer or time.monotonic() > deadline:
            return answer
        time.sleep(every)


def make_certificates(folder, *addresses):
    """An authority `ca`, and of it a certificate `server` for 127.0.0.1 and one `client`, by the script of deploy/."""
    for name in ("server", "client"):
        command = [ROOT / "deploy/make-certificates", folder, name, "IP:127.0.0.1", "DNS:localhost", *addresses]
        subprocess.run(command, check=True, capture_output=True, timeout=60)


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
        self.environment = {}

    @property
    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    @property
    def is_alive(self):
        return self.process is not None and self.process.poll() is None

    def start(self):
        assert not self.is_alive, f"{self.name} runs already"
        environment = {**os.environ, **self.environment}
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment
            )

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
    def __init__(self, deployment, name="registry", port=None):
        self.port = port or free_port()
        configuration = deployment.directory / f"glance-{name}.conf"
        super().__init__("glance-registry", configuration, deployment.directory / f"{name}.log")
        self.deployment = deployment

    @property
    def endpoint(self):
        if self.deployment.transport == "unix":
            return f"unix:{self.deployment.socket}"
        return f"{'https' if self.deployment.transport == 'tls' else 'http'}://127.0.0.1:{self.port}"

    def get(self, path):
        """A GET that needs no signature; over the Unix socket by curl, which can."""
        if self.deployment.transport == "tls":
            # A client of the registry like any other: it has to show a certificate.
            pair = (self.deployment.certificates / "client.pem", self.deployment.certificates / "client.key")
            return requests.get(self.endpoint + path, timeout=10, verify=self.deployment.authority, cert=pair).text
        if self.deployment.transport == "tcp":
            return requests.get(self.endpoint + path, timeout=10).text
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
        self.deployment = deployment
        self.url = f"{'https' if deployment.transport == 'tls' else 'http'}://127.0.0.1:{self.port}"

    def is_healthy(self):
        try:
            shown = {"verify": self.deployment.authority, "cert": self.deployment.client_certificate}
            answer = requests.get(self.url + "/healthcheck", timeout=10, **shown)
            return answer.status_code == 200
        except requests.RequestException:
            return False


class Deployment:
    """One registry and one or more APIs, as an operator would set them up, on the database that databases.py names.

    `transport` is what the services speak over: "tcp", "unix", or "tls", with certificates on both sides, where
    clients of the API speak TLS as well.
    `options` are lines added to a section: {"api": {"DEFAULT": ["debug = true"]}, "registry": {…}}.
    """

    def __init__(self, directory, auth="http_basic", transport="tcp", stores=(), lease_seconds=60, options=None):
        self.directory = directory
        self.auth = auth
        self.transport = transport
        self.lease_seconds = lease_seconds
        self.options = options or {}
        self.socket = directory / "r.sock"
        self.certificates = directory / "tls"
        self.authority = str(self.certificates / "ca.pem") if transport == "tls" else True
        # What the certificates are for besides 127.0.0.1, and what clients of the API show: nothing, or certificate and key.
        self.addresses = ()
        self.client_certificate = None
        self.database = database_for(directory)
        self.key_file = directory / "registry.key"
        self.user_file = directory / "users"
        self.stores = {name: directory / f"images-{name}" for name in stores or ("default",)}
        self.is_multi_store = bool(stores)
        self.staging = directory / "os_glance_staging_store"
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
        self.registries = [self.registry]
        self.registry_configuration = pathlib.Path(self.registry.command[-1])
        self.api = API(self)
        self.programs = [self.registry, self.api]

    # --- setting up ---------------------------------------------------------------------------------------------

    @property
    def registry_port(self):
        return self.registry.port

    def start(self):
        self.write_secrets()
        for registry in self.registries:
            self.write_registry_configuration(registry)
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
        if self.transport == "tls":
            make_certificates(self.certificates, *self.addresses)
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

    def write_registry_configuration(self, registry=None):
        registry = registry or self.registry
        self.database.create()
        tcp = ["bind_host = 127.0.0.1", f"bind_port = {registry.port}"]
        tls = [
            f"cert_file = {self.certificates}/server.pem",
            f"key_file = {self.certificates}/server.key",
            f"ca_file = {self.certificates}/ca.pem",
        ]
        listen = {"tcp": tcp, "tls": tcp + tls, "unix": [f"bind_socket = {self.socket}"]}
        sections = {
            "DEFAULT": listen[self.transport],
            "registry": [f"key_file = {self.key_file}", f"upload_lease_seconds = {self.lease_seconds}"],
            "database": [f"connection = {self.database.url}"],
        }
        self.write(pathlib.Path(registry.command[-1]), sections, self.options.get("registry", {}))

    def write_api_configuration(self, api):
        sections = {
            "DEFAULT": [
                "bind_host = 127.0.0.1",
                f"bind_port = {api.port}",
            ],
            "registry": [f"endpoints = {self.registry_endpoint}", f"key_file = {self.key_file}"],
            "glance_store": [],
        }
        if self.transport == "tls":
            sections["DEFAULT"] += [
                f"cert_file = {self.certificates}/server.pem",
                f"key_file = {self.certificates}/server.key",
            ]
            sections["registry"] += [
                f"client_ca_file = {self.certificates}/ca.pem",
                f"client_cert_file = {self.certificates}/client.pem",
                f"client_key_file = {self.certificates}/client.key",
            ]
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
            sections["DEFAULT"].append(f"node_staging_uri = file://{self.staging}")
            sections["glance_store"].append(f"filesystem_store_datadir = {self.stores['default']}")
        self.write(pathlib.Path(api.command[-1]), sections, self.options.get("api", {}))

    @property
    def registry_endpoint(self):
        if self.endpoint_override:
            return self.endpoint_override
        return ", ".join(registry.endpoint for registry in self.registries)

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
        session.verify = self.authority
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
        texts += self.database.secrets
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
        self.database.remove()
        assert all(status == 0 for status in statuses.values()), f"a graceful stop must exit with 0: {statuses}"
        for program in self.programs:
            assert "Fatal error" not in program.log, program.log[-3000:]
            for secret in self.secret_texts():
                assert secret not in program.log, f"a secret is in {program.log_file.name}"
