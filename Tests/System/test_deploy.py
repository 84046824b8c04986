"""What deploy/ holds works: the image runs, the units, samples and configurations are accepted by who reads them."""

import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import threading
import time

import pytest
import requests
import yaml

from composition import PASSWORD, Composition, missing
from ports import free_port
from services import PROGRAMS, ROOT, wait_until

DEPLOY = ROOT / "deploy"
PODMAN = ROOT / "Tests/Backends/podman.sh"
PROGRAM_NAMES = ("glance-api", "glance-registry", "glance-manage", "glance-scrubber")


def run(*command, **arguments):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=600, **arguments)
    assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr[-3000:]}"
    return done.stdout


# --- units and configurations -----------------------------------------------------------------------------------


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_units_are_accepted_and_hardened(tmp_path):
    units = sorted((DEPLOY / "systemd").glob("*.service"))
    assert len(units) == 4
    for unit in units:
        # The programs under test in the place of the installed ones: verify looks whether they are there.
        copy = tmp_path / unit.name
        copy.write_text(unit.read_text().replace("/usr/bin/glance", f"{PROGRAMS}/glance"))
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True, timeout=60)
        said = [line for line in done.stderr.splitlines() if unit.name in line]
        assert done.returncode == 0 and said == [], done.stderr
        found = run("systemd-analyze", "security", "--offline=true", unit)
        exposure = float(re.search(r"Overall exposure level for \S+: ([0-9.]+)", found)[1])
        assert exposure < 2, found


@pytest.mark.parametrize("path", sorted(DEPLOY.rglob("*.conf")), ids=lambda path: str(path.relative_to(DEPLOY)))
def test_sample_configurations_name_options_that_exist(path, tmp_path):
    """A service that is started with one may miss a file or an address here, but no option and no value."""
    program = re.match(r"glance-(api|registry|scrubber)", path.name)[0]
    text = path.read_text().replace("/etc/glance/", f"{tmp_path}/").replace("/var/lib/glance", str(tmp_path))
    copy = tmp_path / path.name
    copy.write_text(text)
    files = ["--config-file", copy]
    if program == "glance-scrubber":
        # It says what is the scrubber's; the rest comes from the file of an API.
        (tmp_path / "api.conf").write_text(f"[registry]\nkey_file = {tmp_path}/registry.keys\n")
        files = ["--config-file", tmp_path / "api.conf", *files]
    started = subprocess.run([PROGRAMS / program, *files], capture_output=True, text=True, timeout=60)
    said = started.stdout + started.stderr
    assert started.returncode != 0 and str(tmp_path) in said, f"stops for want of a file: {said}"
    assert "unknown" not in said.lower() and "is not accepted" not in said, said


@pytest.mark.skipif(not shutil.which("haproxy"), reason="haproxy is not installed")
def test_haproxy_accepts_its_configuration():
    names = {"GLANCE_BIND": "127.0.0.1:9292", "GLANCE_API_1": "127.0.0.1:9293", "GLANCE_API_2": "127.0.0.1:9294"}
    run("haproxy", "-c", "-f", DEPLOY / "haproxy/haproxy.cfg", env={**os.environ, **names})


class ComposeLoader(yaml.SafeLoader):
    """Knows the tag that takes a value away."""


ComposeLoader.add_constructor("!reset", lambda loader, node: None)


def test_compose_files_name_services_and_options_that_exist():
    services = yaml.load((DEPLOY / "compose.yaml").read_text(), ComposeLoader)["services"]
    over = yaml.load((DEPLOY / "compose.host.yaml").read_text(), ComposeLoader)["services"]
    assert set(over) == set(services), "the override speaks of the same services"
    options = {}
    for program in ("glance-api", "glance-registry"):
        sample = run(PROGRAMS / program, "options", "--sample")
        section = ""
        for line in sample.splitlines():
            if line.startswith("["):
                section = line.strip("[]").upper()
            elif found := re.match(r"#?\s*(\w+) =", line):
                options.setdefault(program, set()).add(f"OS_{section}__{found[1].upper()}")
    for files in (services, over):
        for name, service in files.items():
            for depended in service.get("depends_on", ()):
                assert depended in services
            program = "glance-api" if name.startswith("api") else "glance-registry"
            for variable in service.get("environment", {}):
                if variable.startswith("OS_"):
                    assert variable in options[program], f"{name}: {variable}"


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers with what it was asked."""

    def do_GET(self):
        body = json.dumps([[name.lower(), value] for name, value in self.headers.items()]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Not told."""


@pytest.mark.skipif(not shutil.which("haproxy"), reason="haproxy is not installed")
def test_haproxy_lets_no_client_say_where_it_comes_from():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = free_port()
    api = f"127.0.0.1:{server.server_address[1]}"
    names = {"GLANCE_BIND": f"127.0.0.1:{port}", "GLANCE_API_1": api, "GLANCE_API_2": api}
    command = ["haproxy", "-db", "-f", DEPLOY / "haproxy/haproxy.cfg"]
    process = subprocess.Popen(command, env={**os.environ, **names}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    told = {
        "Forwarded": "for=6.6.6.6;host=evil.example",
        **{f"X-Forwarded-{name}": "evil.example" for name in ("Host", "Port", "Prefix", "Proto")},
        "X-Forwarded-For": "6.6.6.6",
    }
    answers = []

    def answered():
        try:
            answer = requests.get(f"http://127.0.0.1:{port}/", headers=told, timeout=10)
        except requests.RequestException:
            return False
        answers.append(answer)
        return answer.status_code == 200

    try:
        assert wait_until(answered, 60)
    finally:
        process.terminate()
        process.wait(60)
        server.shutdown()
        server.server_close()
    heard = sorted(tuple(pair) for pair in answers[-1].json() if "forwarded" in pair[0])
    assert heard == [("x-forwarded-for", "127.0.0.1"), ("x-forwarded-proto", "http")]


def test_the_registries_of_the_samples_fit_into_a_server_as_it_comes():
    """max_connections is 100, of which superuser_reserved_connections keeps 3; glance-manage takes 2."""
    services = yaml.load((DEPLOY / "compose.yaml").read_text(), ComposeLoader)["services"]
    registries = [service for name, service in services.items() if name.startswith("registry-")]
    sample = run(PROGRAMS / "glance-registry", "options", "--sample")
    defaults = [int(re.search(rf"#?\s*{name} = (\d+)", sample)[1]) for name in ("max_pool_size", "max_overflow")]
    overflows = [int(service["environment"]["OS_DATABASE__MAX_OVERFLOW"]) for service in registries]
    assert len(registries) == 2
    assert sum(overflows) + 2 * defaults[0] + 2 <= 97
    text = (DEPLOY / "etc/many-nodes/glance-registry.conf").read_text()
    numbers = [int(re.search(rf"^{name} = (\d+)", text, re.M)[1]) for name in ("max_pool_size", "max_overflow")]
    assert 2 * sum(numbers) + 2 <= 97


def test_the_containerfile_says_what_a_hardened_image_needs():
    text = (DEPLOY / "Containerfile").read_text()
    stages = re.findall(r"^FROM (\S+)(?: AS (\S+))?", text, re.M)
    assert [name for _, name in stages] == ["build", "prebuilt", "programs", "run"]
    assert all(base.startswith("${") or base == "scratch" for base, _ in stages), "bases are arguments"
    run_stage = text[text.index("AS run") :]
    assert "USER ${UID}:${GID}" in run_stage
    assert "COPY deploy/metadefs/ /etc/glance/metadefs/" in run_stage
    products = set(re.findall(r'\.executable\(name: "(\S+?)"', (ROOT / "Package.swift").read_text()))
    built = re.search(r"for program in ([^;]+);", text)[1].split()
    assert set(PROGRAM_NAMES) <= set(built) <= products
    scripts = re.findall(r"^RUN ((?:.*\\\n)*.*)", text, re.M)
    assert len(scripts) == text.count("\nRUN ")
    for script in scripts:
        run("bash", "-n", "-c", script)


# --- the image --------------------------------------------------------------------------------------------------


def podman(*arguments, **options):
    return run(PODMAN, "podman", *arguments, **options)


def libraries(program):
    """Of a dynamically linked program, what the image's distribution does not have: the Swift runtime."""
    found = re.findall(r"=> (\S+)", run("ldd", program))
    return {pathlib.Path(path) for path in found if "/lib/swift/" in path}


@pytest.fixture(scope="module")
def image():
    """The run stage, with the programs under test in the place of those that its build stage would make."""
    if os.geteuid() != 0 or not pathlib.Path("/etc/debian_version").exists():
        pytest.skip("container tools are installed by root on Debian only")
    started = subprocess.run([PODMAN, "start"], capture_output=True, text=True, timeout=900)
    if started.returncode != 0:
        pytest.skip(f"containers cannot be run here: {started.stderr.strip().splitlines()[-1:]}")
    prebuilt = DEPLOY / "prebuilt"
    try:
        for folder in ("bin", "lib"):
            (prebuilt / folder).mkdir(parents=True, exist_ok=True)
        for name in PROGRAM_NAMES:
            run("strip", "-o", prebuilt / "bin" / name, PROGRAMS / name)
            for library in libraries(PROGRAMS / name):
                shutil.copy(library, prebuilt / "lib")
        base = os.environ.get("PODMAN_BASE", "localhost/debian:12")
        arguments = ["--build-arg", f"RUN_IMAGE={base}", "--build-arg", "PROGRAMS=prebuilt"]
        arguments += ["--build-arg", "UID=12345", "--build-arg", "GID=12346"]
        podman("build", "-q", *arguments, "-t", "localhost/glance-test", "-f", DEPLOY / "Containerfile", ROOT)
    finally:
        shutil.rmtree(prebuilt, ignore_errors=True)
    return "localhost/glance-test"


def test_both_services_run_from_the_image_read_only_and_unprivileged(image):
    names = [f"glance-{kind}-{os.getpid()}" for kind in ("secrets", "database", "images")]
    secret, database, store = names
    registry_port, api_port = free_port(), free_port()
    url = f"http://127.0.0.1:{api_port}"
    common = ["--read-only", "--cap-drop=all", "--security-opt=no-new-privileges", "--network=host", "--tmpfs=/tmp"]
    # As compose.yaml has it.
    common += ["--tmpfs=/var/lib/glance/staging:mode=1777"]
    common += ["-v", f"{secret}:/etc/glance/secrets", "-v", f"{database}:/var/lib/glance"]
    common += ["-v", f"{store}:/var/lib/glance/images"]
    common += ["-e", "OS_DATABASE__CONNECTION=sqlite:////var/lib/glance/glance.db"]
    services = {
        "glance-registry": ["-e", "OS_DEFAULT__BIND_HOST=127.0.0.1", "-e", f"OS_DEFAULT__BIND_PORT={registry_port}"],
        "glance-api": [
            *("-e", "OS_DEFAULT__BIND_HOST=127.0.0.1", "-e", f"OS_DEFAULT__BIND_PORT={api_port}"),
            *("-e", f"OS_REGISTRY__ENDPOINTS=http://127.0.0.1:{registry_port}", "-e", "OS_DEFAULT__DRAIN_SECONDS=0"),
        ],
    }
    containers = []
    try:
        password = ["-e", "GLANCE_ADMIN_PASSWORD=a-password-for-tests"]
        podman("run", "--rm", *common, *password, image, "bash", "/etc/glance/setup.sh")
        assert podman("run", "--rm", image, "id", "-u").strip() == "12345"
        load = ["glance-manage", "--config-file", "/etc/glance/glance-registry.conf", "db", "load_metadefs"]
        assert "33 added" in podman("run", "--rm", *common, image, *load)
        written = subprocess.run(
            [PODMAN, "podman", "run", "--rm", *common, image, "touch", "/etc/glance/new"], capture_output=True, text=True
        )
        assert written.returncode != 0 and "Read-only" in written.stderr, "nothing but the volumes can be written"
        for name, arguments in services.items():
            containers.append(podman("run", "-d", *common, *arguments, image, name).strip())

        def logs():
            return "\n".join(podman("logs", container) for container in containers)

        assert wait_until(lambda: is_healthy(url), 60, 0.2), logs()
        user = ("admin", "a-password-for-tests")
        created = requests.post(
            url + "/v2/images", auth=user, timeout=10, json={"disk_format": "raw", "container_format": "bare"}
        )
        assert created.status_code == 201, created.text
        file = f"{url}/v2/images/{created.json()['id']}/file"
        data = (ROOT / "README.md").read_bytes()
        kind = {"Content-Type": "application/octet-stream"}
        assert requests.put(file, auth=user, data=data, headers=kind, timeout=30).status_code == 204, logs()
        assert requests.get(file, auth=user, timeout=30).content == data
        staged = requests.post(
            url + "/v2/images", auth=user, timeout=10, json={"disk_format": "raw", "container_format": "bare"}
        )
        stage = f"{url}/v2/images/{staged.json()['id']}/stage"
        assert requests.put(stage, auth=user, data=data, headers=kind, timeout=30).status_code == 204, logs()

        for container in reversed(containers):
            start = time.monotonic()
            podman("stop", "-t", "30", container)
            assert time.monotonic() - start < 25, "SIGTERM reaches the service"
            state = podman("inspect", "--format", "{{.State.ExitCode}}", container).strip()
            assert state == "0", podman("logs", container)
    finally:
        for container in containers:
            subprocess.run([PODMAN, "podman", "rm", "-f", container], capture_output=True)
        for name in names:
            subprocess.run([PODMAN, "podman", "volume", "rm", "-f", name], capture_output=True)


def is_healthy(url):
    try:
        return requests.get(url + "/healthcheck", timeout=5).status_code == 200
    except requests.RequestException:
        return False


@pytest.mark.skipif(missing() is not None, reason=missing() or "")
def test_what_the_compose_file_names_starts_as_a_whole_and_serves(image, tmp_path):
    whole = Composition(tmp_path, image)
    try:
        whole.compose("up", "-d", "--no-build")
        assert wait_until(lambda: is_healthy(whole.url), 120, 0.2), whole.logs()
        assert whole.podman("wait", "setup").stdout.strip() == "0", whole.logs()
        with requests.Session() as session:
            session.auth = ("admin", PASSWORD)
            body = {"disk_format": "raw", "container_format": "bare"}
            created = session.post(whole.url + "/v2/images", json=body, timeout=30)
            assert created.status_code == 201, created.text + whole.logs()
            path = f"/v2/images/{created.json()['id']}/file"
            kind = {"Content-Type": "application/octet-stream"}
            data = (ROOT / "README.md").read_bytes()
            assert session.put(whole.url + path, data=data, headers=kind, timeout=30).status_code == 204, whole.logs()
            # Each API gives what either was given.
            for api in ("api-1", "api-2"):
                url = f"http://127.0.0.1:{whole.ports[api]}"
                assert wait_until(lambda: is_healthy(url), 60), whole.logs()
                assert session.get(url + path, timeout=30).content == data, whole.logs()
        # Setup changes nothing when it is repeated.
        again = whole.podman("start", "setup", "-a")
        assert again.returncode == 0 and "No migrations needed." in again.stdout, again.stdout + again.stderr
    finally:
        whole.compose("down", "-v", "-t", "5")
