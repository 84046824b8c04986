"""Fixtures of the system tests: deployments of the real programs, and real images."""

import csv
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

# Their assertions tell what they compared, as those of tests do.
ASSERTING = (
    "audit",
    "composition",
    "golden",
    "located_images",
    "metadef_walks",
    "metadefs",
    "services",
    "tus",
    "wire",
)
pytest.register_assert_rewrite(*ASSERTING)

from ports import free_port
from services import PROGRAMS, ROOT, Deployment

PROGRAM_NAMES = ("glance-api", "glance-registry", "glance-manage", "glance-policy", "glance-scrubber")

# Everything is on the loopback interface; a proxy of the machine has no part in it.
os.environ["no_proxy"] = os.environ["NO_PROXY"] = "127.0.0.1,localhost"


def pytest_addoption(parser):
    parser.addoption("--update-golden", action="store_true", help="write golden/*.json anew from what is answered")
    parser.addoption("--generated-requests", type=int, default=1000, help="how many requests test_generated sends")
    parser.addoption("--generated-seed", type=int, help="the seed that a failure printed")
    parser.addoption("--soak-seconds", type=int, default=12, help="how long test_soak transfers")
    parser.addoption("--soak-seed", type=int, help="the seed that a failure printed")


def pytest_sessionstart(session):
    missing = [n for n in PROGRAM_NAMES if not (PROGRAMS / n).exists()]
    if missing and not session.config.option.collectonly:
        pytest.exit(f"not built: {', '.join(missing)} (make test builds them)", returncode=3)


# The files that take longest, which two processes of tests had better begin with.
LONGEST = (
    "test_many_nodes.py",
    "test_resumable_uploads.py",
    "test_image_life.py",
    "test_golden.py",
    "test_run.py",
    "test_early_answers.py",
    "test_metadef_catalogue.py",
    "test_stage.py",
    "test_keystone.py",
    "test_postgresql.py",
    "test_members.py",
    "test_scrubber.py",
    "test_deploy.py",
)


def pytest_collection_modifyitems(items):
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(LONGEST)))


class Deployments:
    """Starts deployments, and stops all of them at the end."""

    def __init__(self):
        self.started = []

    def prepare(self, **arguments):
        """A deployment that is not started yet, in a short path: a Unix socket's may have 107 bytes."""
        directory = pathlib.Path(tempfile.mkdtemp(prefix="glance-"))
        deployment = Deployment(directory, **arguments)
        self.started.append(deployment)
        return deployment

    def start(self, **arguments):
        return self.prepare(**arguments).start()

    def finish(self):
        problems = []
        for deployment in self.started:
            try:
                deployment.stop()
                shutil.rmtree(deployment.directory)
            except (AssertionError, OSError) as error:
                problems.append(f"{error}\n(left for inspection: {deployment.directory})")
        assert not problems, "\n".join(problems)


@pytest.fixture
def deployments():
    """For tests that need a deployment of their own."""
    all_of_them = Deployments()
    yield all_of_them
    all_of_them.finish()


@pytest.fixture(scope="module")
def shared_deployments():
    """For tests that may share one with the others of their file."""
    all_of_them = Deployments()
    yield all_of_them
    all_of_them.finish()


class RealImage:
    def __init__(self, path, row):
        self.path = path
        self.name = path.name
        self.disk_format = row["disk_format"]
        self.container_format = row["container_format"]
        self.size = int(row["size"])
        self.virtual_size = None if row["virtual_size"] == "-" else int(row["virtual_size"])
        self.is_safe = row["verdict"] == "safe"
        self.why = row["why"]

    @property
    def data(self):
        return self.path.read_bytes()


@pytest.fixture(scope="session")
def images():
    """Real images by name, made by Tests/Backends/images.sh."""
    script = ROOT / "Tests/Backends/images.sh"
    made = subprocess.run([script, "start"], capture_output=True, text=True, timeout=900)
    if made.returncode != 0 and os.geteuid() != 0 and "not root" in made.stderr:
        pytest.skip(f"the image tools are not installed: {made.stderr.strip()}")
    assert made.returncode == 0, made.stderr
    environment = subprocess.run([script, "env"], capture_output=True, text=True, check=True).stdout
    folder = pathlib.Path(environment.split("BACKENDS_IMAGES=")[1].splitlines()[0])
    with (folder / "manifest.tsv").open() as manifest:
        rows = list(csv.DictReader(manifest, delimiter="\t", quoting=csv.QUOTE_NONE))
    return {row["file"]: RealImage(folder / row["file"], row) for row in rows}


@pytest.fixture(scope="session")
def memcached():
    """Where a memcached of these tests' own listens, started by Tests/Backends/memcached.sh."""
    script = ROOT / "Tests/Backends/memcached.sh"
    directory = tempfile.mkdtemp(prefix="glance-memcached-")
    environment = {**os.environ, "BACKENDS_DIR": directory, "MEMCACHED_PORT": str(free_port())}
    made = subprocess.run([script, "start"], capture_output=True, text=True, timeout=300, env=environment)
    if made.returncode != 0 and os.geteuid() != 0 and "not root" in made.stderr:
        pytest.skip(f"memcached is not installed: {made.stderr.strip()}")
    assert made.returncode == 0, made.stderr
    yield f"127.0.0.1:{environment['MEMCACHED_PORT']}"
    subprocess.run([script, "stop"], check=True, timeout=60, env=environment)
    shutil.rmtree(directory)


@pytest.fixture(params=["v3.qcow2", "plain.iso"])
def image(request, images):
    """One real image: a qcow2, then an ISO."""
    return images[request.param]
