"""`make run`, as a newcomer would: with the programs that the tests have built."""

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile

import pytest
import requests

from ports import free_port
from services import PROGRAMS, ROOT, wait_until

pytestmark = pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")


class Run:
    """One `make run` in a terminal of its own, as far as signals are concerned."""

    def __init__(self, state, port):
        self.port = port
        self.output_file = tempfile.TemporaryFile()
        environment = {
            **os.environ,
            "GLANCE_STATE": str(state),
            "GLANCE_API_PORT": str(port),
            "GLANCE_BUILD_CONFIGURATION": PROGRAMS.name,
            "GLANCE_NO_BUILD": "1",
        }
        self.process = subprocess.Popen(
            # Where the tests run in the background of a shell, it has made them ignore Ctrl-C.
            ["env", "--default-signal=INT", "make", "run"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=self.output_file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    @property
    def output(self):
        return os.pread(self.output_file.fileno(), 1_000_000, 0).decode()

    def wait_ready(self):
        """Until its last line is printed."""
        wait_until(lambda: "image save --file" in self.output or self.has_ended(), 60)
        assert "image save --file" in self.output and not self.has_ended(), self.output
        assert f"ready at http://127.0.0.1:{self.port};" in self.output

    def has_ended(self):
        return self.process.poll() is not None

    def interrupt(self):
        """Ctrl-C: the terminal sends it to the whole foreground group."""
        os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait(60)

    def close(self):
        if not self.has_ended():
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(60)
        self.output_file.close()


@pytest.fixture
def state():
    folder = tempfile.mkdtemp(prefix="glance-run-")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)  # a failed test has said what it had to say


@pytest.fixture
def run(state):
    started = []

    def run(port=None, folder=None):
        started.append(Run(folder or state, port or free_port()))
        return started[-1]

    yield run
    for one in started:
        one.close()


def services_of(state):
    """The command lines of the processes that serve this state directory."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                command = file.read().decode(errors="replace").split("\0")
        except OSError:
            continue
        if os.path.basename(command[0]).startswith("glance-") and any(str(state) in part for part in command):
            found.append((int(pid), os.path.basename(command[0])))
    return found


def password_in(output):
    found = re.search(r"GLANCE_PASSWORD='([^']+)'", output)
    return found[1] if found else None


def test_two_runs(run, state):
    first = run()
    first.wait_ready()
    password = password_in(first.output)
    assert password, first.output
    assert {name for _, name in services_of(state)} == {"glance-api", "glance-registry"}
    for name in os.listdir(state):
        path = os.path.join(state, name)
        if os.path.isfile(path):
            with open(path, "rb") as file:
                assert password.encode() not in file.read(), f"the password is in {name}"
    for secret in ("registry.key", "users"):
        assert os.stat(os.path.join(state, secret)).st_mode & 0o777 == 0o600

    # The printed lines, as they are.
    environment = {**os.environ, "GLANCE_PASSWORD": password, "HOME": str(state)}
    lines = [line.strip() for line in first.output.splitlines() if line.strip().startswith(("curl", "ID="))]
    assert len(lines) == 4
    script = "set -e\n" + "\n".join(line.replace("first.raw", f"{state}/first.raw") for line in lines)
    steps = subprocess.run(["bash", "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert steps.returncode == 0, steps.stderr
    assert '"status":"active"' in re.sub(r'":\s+"', '":"', steps.stdout), steps.stdout
    with open(os.path.join(state, "first.raw"), "rb") as file:
        assert file.read() == (ROOT / "README.md").read_bytes()

    first.interrupt()
    assert services_of(state) == []
    assert "Both services have ended." in first.output

    second = run()
    second.wait_ready()
    assert password_in(second.output) is None, "the password is told once"
    answer = requests.get(f"http://127.0.0.1:{second.port}/v2/images", auth=("admin", password), timeout=10)
    assert [image["name"] for image in answer.json()["images"]] == ["first"]
    second.interrupt()
    assert services_of(state) == []


def test_the_printed_openstack_lines(run, state):
    one = run()
    one.wait_ready()
    environment = {**os.environ, "GLANCE_PASSWORD": password_in(one.output), "HOME": str(state)}
    lines = [line.strip() for line in one.output.splitlines() if line.strip().startswith("openstack")]
    assert len(lines) == 4
    for line in lines:
        line = line.replace("second.raw", f"{state}/second.raw")
        step = subprocess.run(["bash", "-c", line], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
        assert step.returncode == 0, f"{line}: {step.stderr}"
    with open(os.path.join(state, "second.raw"), "rb") as file:
        assert file.read() == (ROOT / "README.md").read_bytes()


def test_a_port_in_use_stops_it_before_it_begins(run, state):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        one = run(port=port)
        assert one.process.wait(30) != 0
        said = [line for line in one.output.splitlines() if not line.startswith("make")]
        assert len(said) == 1 and str(port) in said[0], one.output
    assert os.listdir(state) == [], "nothing half started"


def test_a_state_directory_that_cannot_be_written(run, state):
    blocker = os.path.join(state, "file")
    open(blocker, "w").close()
    one = run(folder=blocker + "/state")
    assert one.process.wait(30) != 0
    said = [line for line in one.output.splitlines() if not line.startswith("make")]
    assert len(said) == 1 and "cannot be written" in said[0], one.output


def test_a_second_run_beside_the_first_is_refused(run, state):
    first = run()
    first.wait_ready()
    second = run()
    assert second.process.wait(30) != 0
    assert "another make run uses the state directory" in second.output
    assert len(services_of(state)) == 2
    first.interrupt()


def test_sigterm_stops_both(run, state):
    one = run()
    one.wait_ready()
    one.process.send_signal(signal.SIGTERM)
    one.process.wait(60)
    assert wait_until(lambda: services_of(state) == [])


@pytest.mark.parametrize(("name", "log"), [("glance-registry", "registry.log"), ("glance-api", "api.log")])
def test_a_service_that_dies_takes_the_other_with_it(run, state, name, log):
    one = run()
    one.wait_ready()
    pid = next(pid for pid, program in services_of(state) if program == name)
    os.kill(pid, signal.SIGKILL)
    assert one.process.wait(60) != 0
    assert f"{name} ended by itself" in one.output
    assert log in one.output
    assert services_of(state) == []


def test_a_path_too_long_for_a_socket_uses_a_port(run, state, monkeypatch):
    monkeypatch.setenv("GLANCE_REGISTRY_PORT", str(free_port()))
    folder = os.path.join(state, "x" * 110)
    one = run(folder=folder)
    one.wait_ready()
    assert requests.get(f"http://127.0.0.1:{one.port}/healthcheck", timeout=10).status_code == 200
    assert not os.path.exists(os.path.join(folder, "registry.sock"))
    one.interrupt()
    assert services_of(folder) == []
