"""PostgreSQL servers of a test's own: with TLS, frozen, or with a standby that is promoted when the first one dies."""

import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import urllib.parse

from cluster import Server, is_running
from ports import free_port
from services import make_certificates, wait_until

USER = "postgres"


def program(name):
    """Of the newest PostgreSQL that is installed, as the script of the server takes it."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    return str(found[-1])


def as_server(*command, **options):
    """Runs what the server's own user has to run."""
    group = str(pwd.getpwnam(USER).pw_gid)
    command = ["setpriv", f"--reuid={USER}", f"--regid={group}", "--init-groups", "--", *map(str, command)]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120, **options).stdout


def own(*paths):
    for path in paths:
        shutil.chown(path, USER, USER)


class OwnServer(Server):
    """One that the test may configure as it likes."""

    @property
    def data(self):
        return self.directory / "postgresql/data"

    @property
    def socket(self):
        return self.run("env").split("POSTGRESQL_SOCKET_DIR=")[1].splitlines()[0]

    @property
    def port(self):
        return self.environment["POSTGRESQL_PORT"]

    @property
    def pid(self):
        return int((self.directory / "postgresql/run/postgres.pid").read_text().split()[0])

    def administer(self, statement):
        command = [program("psql"), "-X", "-q", "-A", "-t", "-h", self.socket, "-p", self.port, "-U", USER, "-d", "glance"]
        return as_server(*command, "-c", statement).strip()

    def configure(self, lines=(), hba=None):
        with (self.data / "postgresql.conf").open("a") as file:
            file.write("".join(f"{line}\n" for line in lines))
        if hba is not None:
            (self.data / "pg_hba.conf").write_text("".join(f"{line}\n" for line in hba))
        self.administer("SELECT pg_reload_conf()")

    def parameters(self, **parameters):
        """The server's URL with these."""
        return f"{self.url}?{urllib.parse.urlencode(parameters)}"

    def use_tls(self):
        """From now on it takes nothing but TLS; the authority's certificate is answered."""
        folder = self.directory / "tls"
        make_certificates(folder)
        for name in ("server.pem", "server.key"):
            shutil.copy(folder / name, self.data)
            own(self.data / name)
        self.configure(
            ["ssl = on", "ssl_cert_file = 'server.pem'", "ssl_key_file = 'server.key'"],
            ["local all postgres peer", "local all all scram-sha-256", "hostssl all all 127.0.0.1/32 scram-sha-256"],
        )
        return folder / "ca.pem"

    def processes(self):
        children = subprocess.run(["pgrep", "-P", str(self.pid)], capture_output=True, text=True, timeout=10).stdout
        return [self.pid, *map(int, children.split())]

    def freeze(self):
        """Connections stay, new ones are accepted by the system, and nobody answers."""
        # The one that would start others first.
        for pid in self.processes():
            os.kill(pid, signal.SIGSTOP)

    def thaw(self):
        for pid in reversed(self.processes()):
            os.kill(pid, signal.SIGCONT)


class Standby:
    """A copy that follows a server, and takes over when it is told to."""

    def __init__(self, server):
        self.server = server
        self.port = str(free_port())
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="glance-standby-"))
        self.directory.chmod(0o755)
        self.data = self.directory / "data"
        self.process = None

    def start(self):
        """Returns when what the server commits is here before it is answered for."""
        server = self.server
        server.configure(
            hba=[
                "local all postgres peer",
                "local replication postgres peer",
                "local all all scram-sha-256",
                "host all all 127.0.0.1/32 scram-sha-256",
            ]
        )
        own(self.directory)
        base = [program("pg_basebackup"), "-h", server.socket, "-p", server.port, "-U", USER]
        as_server(*base, "-D", self.data, "-R", "-X", "stream", "--checkpoint=fast", cwd=self.directory)
        arguments = ["-D", self.data, "-p", self.port, "-h", "127.0.0.1", "-k", self.directory]
        command = [program("postgres"), *map(str, arguments)]
        account = pwd.getpwnam(USER)
        with (self.directory / "log").open("w") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, user=account.pw_uid, group=account.pw_gid, extra_groups=[]
            )
        # Only now: until it follows, every commit would wait for it.
        server.configure(["synchronous_standby_names = '*'"])
        state = "SELECT sync_state FROM pg_stat_replication"
        assert wait_until(lambda: server.administer(state) == "sync", 30), (self.directory / "log").read_text()

    def ask(self, statement):
        command = [program("psql"), "-X", "-q", "-A", "-t", "-h", self.directory, "-p", self.port, "-U", USER]
        return as_server(*command, "-d", "glance", "-c", statement).strip()

    def promote(self):
        assert self.ask("SELECT pg_promote()") == "t"

    def stop(self):
        if self.process is not None and is_running(self.process.pid):
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(30)
        shutil.rmtree(self.directory, ignore_errors=True)
