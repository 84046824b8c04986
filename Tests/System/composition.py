"""The whole of deploy/compose.yaml, started by podman-compose on the host's network.

PostgreSQL and haproxy are this machine's own, in a container of its distribution: their images cannot be had everywhere.
"""

import os
import pathlib
import shutil
import subprocess

import yaml

from ports import free_port
from services import ROOT

PODMAN = ROOT / "Tests/Backends/podman.sh"
NOBODY = "65534:65534"
# The base image is of the same release, and so has the same libraries.
PROGRAMS = "/usr:/usr:ro"
PASSWORD = "letters0and1digits"

# What the image of PostgreSQL does by itself. In a compose file a dollar sign is written twice.
DATABASE = """
bin=$$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
[ -d /data/main ] || {
    echo "$$POSTGRES_PASSWORD" >/tmp/password
    $$bin/initdb -D /data/main -U $$POSTGRES_USER -A scram-sha-256 --pwfile /tmp/password -E UTF8 --no-locale -N
    echo "CREATE DATABASE $$POSTGRES_DB" | $$bin/postgres --single -D /data/main postgres
}
exec $$bin/postgres -D /data/main -c listen_addresses=127.0.0.1 -c port=%d -c unix_socket_directories=/tmp
"""


def missing():
    """What this machine lacks for it; `None` when it can be run."""
    if not list(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres")):
        return "PostgreSQL is not installed"
    return None if shutil.which("haproxy") else "haproxy is not installed"


class Composition:
    def __init__(self, directory, image):
        self.name = f"glance-{os.getpid()}"
        names = ("database", "registry-1", "registry-2", "api-1", "api-2", "balancer")
        self.ports = {name: free_port() for name in names}
        self.override = directory / "compose.test.yaml"
        self.override.write_text(self.overridden())
        base = os.environ.get("PODMAN_BASE", "localhost/debian:12")
        self.environment = {
            **os.environ,
            "GLANCE_IMAGE": image,
            "POSTGRES_IMAGE": base,
            "HAPROXY_IMAGE": base,
            "GLANCE_PORT": str(self.ports["balancer"]),
            "GLANCE_DATABASE_PASSWORD": PASSWORD,
            "GLANCE_ADMIN_PASSWORD": PASSWORD,
        }

    @property
    def url(self):
        return f"http://127.0.0.1:{self.ports['balancer']}"

    def overridden(self):
        """Free ports, and what stands in for images that are not here."""
        address = {name: f"127.0.0.1:{port}" for name, port in self.ports.items()}
        connection = {"OS_DATABASE__CONNECTION": f"postgresql://glance:{PASSWORD}@{address['database']}/glance"}
        registries = {"OS_REGISTRY__ENDPOINTS": f"http://{address['registry-1']},http://{address['registry-2']}"}
        services = {"setup": {"environment": connection}}
        for name, environment in [*((f"registry-{n}", connection) for n in "12"), *((f"api-{n}", registries) for n in "12")]:
            services[name] = {"environment": {**environment, "OS_DEFAULT__BIND_PORT": str(self.ports[name])}}
        services["database"] = {
            "user": NOBODY,
            "volumes": Override([PROGRAMS]),
            "tmpfs": ["/data:mode=1777", "/tmp"],
            "command": ["bash", "-ec", DATABASE % self.ports["database"]],
        }
        services["balancer"] = {
            "volumes": Override([PROGRAMS, f"{ROOT}/deploy/haproxy/haproxy.cfg:/etc/haproxy.cfg:ro"]),
            "command": ["/usr/sbin/haproxy", "-f", "/etc/haproxy.cfg"],
            "environment": {"GLANCE_API_1": address["api-1"], "GLANCE_API_2": address["api-2"]},
        }
        return yaml.dump({"services": services}, Dumper=ComposeDumper)

    def compose(self, *arguments):
        files = [ROOT / "deploy/compose.yaml", ROOT / "deploy/compose.host.yaml", self.override]
        command = [PODMAN, "compose", "-p", self.name, *(word for file in files for word in ("-f", file)), *arguments]
        done = subprocess.run(
            [str(word) for word in command], capture_output=True, text=True, timeout=300, env=self.environment
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]

    def podman(self, verb, service, *arguments):
        """About the container of a service."""
        command = [PODMAN, "podman", verb, *arguments, f"{self.name}_{service}_1"]
        return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=120)

    def logs(self):
        told = {service: self.podman("logs", service) for service in ["setup", *self.ports]}
        return "\n".join(f"-- {service}\n{done.stdout[-1500:]}{done.stderr[-1500:]}" for service, done in told.items())


class Override(list):
    """In the place of what other files say, not added to it."""


class ComposeDumper(yaml.SafeDumper):
    """Knows the tag for that."""


ComposeDumper.add_representer(Override, lambda dumper, value: dumper.represent_sequence("!override", value))
