"""What an operator meets: health, metrics, logs, mistakes in the configuration, stops and starts."""

import concurrent.futures
import re
import signal
import socket
import subprocess
import threading
import time
import uuid

import pytest
import requests

import databases
from recording_proxy import RecordingProxy
from ports import free_port
from services import PROGRAMS, ROOT, wait_until
from wire import Answer, Connection, head

SAMPLE = re.compile(
    r'^[a-zA-Z_:][a-zA-Z0-9_:]*(\{([a-zA-Z_][a-zA-Z0-9_]*="(\\.|[^"\\])*",?)*\})? (NaN|[+-]?Inf|[-+0-9.eE]+)( \d+)?$'
)


@pytest.fixture(scope="module", params=["tcp", "unix"])
def deployment(request, shared_deployments):
    return shared_deployments.start(auth="noauth", transport=request.param)


def create(deployment, session, data=None):
    answer = session.post(f"{deployment.url}/v2/images", json={"disk_format": "raw", "container_format": "bare"})
    assert answer.status_code == 201, answer.text
    url = f"{deployment.url}/v2/images/{answer.json()['id']}"
    if data is not None:
        headers = {"Content-Type": "application/octet-stream"}
        assert session.put(url + "/file", data=data, headers=headers).status_code == 204
    return url


# --- health, metrics, logs ------------------------------------------------------------------------------------------


def test_health_of_both(deployment):
    answer = requests.get(deployment.url + "/healthcheck", timeout=10)
    assert (answer.status_code, answer.text.strip()) == (200, "OK")
    assert "x-openstack-request-id" not in answer.headers
    assert deployment.registry.get("/healthcheck").strip() == "OK"


def test_metrics_of_both_are_prometheus_text(deployment):
    deployment.session().get(f"{deployment.url}/v2/images")
    for text in (requests.get(deployment.url + "/metrics", timeout=10).text, deployment.registry.get("/metrics")):
        samples = [line for line in text.splitlines() if line and not line.startswith("#")]
        assert samples
        for line in samples:
            assert SAMPLE.match(line), line
        for line in text.splitlines():
            if line.startswith("#"):
                assert re.match(r"^# (HELP|TYPE) [a-zA-Z_:][a-zA-Z0-9_:]*( |$)", line), line


def test_a_request_id_crosses_to_the_registry(deployment):
    request_id = f"req-{uuid.uuid4()}"
    headers = {"X-OpenStack-Request-ID": request_id}
    answer = deployment.session().post(f"{deployment.url}/v2/images", json={"name": "traced"}, headers=headers)
    assert answer.headers["x-openstack-request-id"] == request_id
    assert wait_until(lambda: request_id in deployment.api.log), "not in the API's log"
    assert wait_until(lambda: request_id in deployment.registry.log), "not in the registry's log"


# --- configuration ---------------------------------------------------------------------------------------------------


def test_an_unknown_option_is_told_and_harmless(deployments):
    options = {"DEFAULT": ["no_such_option = 1"]}
    deployment = deployments.start(auth="noauth", options={"api": options, "registry": options})
    for program in deployment.programs:
        assert program.log.count("no_such_option") == 1, program.log


def refusal(program, configuration, *arguments):
    """What a program says when it refuses to start; it must do so by itself, and without a crash."""
    command = [PROGRAMS / program, "--config-file", configuration, *arguments]
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    assert result.returncode > 0, f"exit status {result.returncode}: {result.stdout}{result.stderr}"
    said = result.stdout + result.stderr
    assert said.strip()
    assert "Fatal error" not in said and "Current stack trace" not in said, said
    return said


def prepared(deployments, **arguments):
    """A deployment with its files and database, of which nothing runs."""
    deployment = deployments.prepare(**{"auth": "noauth", **arguments})
    deployment.write_secrets()
    deployment.write_registry_configuration()
    deployment.write_api_configuration(deployment.api)
    deployment.manage("db", "sync")
    return deployment


@pytest.mark.parametrize(
    ("service", "line"),
    [
        ("api", "limit_param_default = many"),
        ("api", "auth_strategy = telepathy"),
        ("registry", "bind_port = many"),
    ],
)
def test_a_wrong_value_stops_the_start_with_its_place(deployments, service, line):
    deployment = prepared(deployments, options={service: {"DEFAULT": [line]}})
    file = deployment.registry_configuration if service == "registry" else deployment.directory / "glance-api.conf"
    said = refusal(f"glance-{service}", file)
    lines = file.read_text().splitlines()
    # The last one wins, as with oslo: it is the one at fault.
    number = max(i for i, text in enumerate(lines, 1) if text == line)
    assert file.name in said
    assert line.split(" ")[0] in said
    assert re.search(rf"\b{number}\b", said), said


def test_a_missing_configuration_file_is_told(tmp_path):
    for program in ("glance-api", "glance-registry"):
        assert "nowhere.conf" in refusal(program, tmp_path / "nowhere.conf")


def test_a_port_in_use_is_told(deployments):
    deployment = prepared(deployments)
    with socket.create_server(("127.0.0.1", deployment.api.port)):
        assert str(deployment.api.port) in refusal("glance-api", deployment.directory / "glance-api.conf")
    with socket.create_server(("127.0.0.1", deployment.registry_port)):
        assert str(deployment.registry_port) in refusal("glance-registry", deployment.registry_configuration)


def test_a_store_that_cannot_be_written_is_told(deployments):
    deployment = prepared(deployments)
    # Below a file there is no directory, not even for root.
    (deployment.directory / "file").write_text("")
    deployment.stores["default"] = deployment.directory / "file" / "images"
    deployment.write_api_configuration(deployment.api)
    assert str(deployment.stores["default"]) in refusal("glance-api", deployment.directory / "glance-api.conf")


def test_a_key_that_others_can_read_is_refused(deployments):
    deployment = prepared(deployments)
    deployment.key_file.chmod(0o644)
    for program, file in [("glance-registry", "glance-registry.conf"), ("glance-api", "glance-api.conf")]:
        said = refusal(program, deployment.directory / file)
        assert "registry.key" in said and "chmod 600" in said
    deployment.key_file.chmod(0o600)


def test_a_database_without_tables_is_refused_with_the_way_out(deployments):
    deployment = deployments.prepare(auth="noauth")
    deployment.write_secrets()
    deployment.write_registry_configuration()
    assert "db sync" in refusal("glance-registry", deployment.registry_configuration)


def test_the_schema_can_be_asked_for(deployments):
    deployment = prepared(deployments)
    assert deployment.manage("db", "version").strip()
    deployment.manage("db", "check")
    deployment.manage("db", "sync")  # a second time changes nothing


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_noauth_stays_on_this_machine(deployments, host):
    deployment = prepared(deployments, options={"api": {"DEFAULT": [f"bind_host = {host}"]}})
    assert "noauth" in refusal("glance-api", deployment.directory / "glance-api.conf")


def test_an_unset_strategy_is_refused_with_the_choices(deployments):
    deployment = prepared(deployments)
    file = deployment.directory / "glance-api.conf"
    file.write_text("".join(line for line in file.read_text().splitlines(True) if "auth_strategy" not in line))
    said = refusal("glance-api", file)
    for choice in ("auth_strategy", "http_basic", "noauth"):
        assert choice in said


def test_the_sample_configuration_runs(deployments):
    deployment = deployments.prepare(auth="http_basic")
    for name in ("glance-api.conf", "glance-registry.conf"):
        text = (ROOT / "deploy/etc" / name).read_text()
        for installed, ours in [
            ("/etc/glance/registry.keys", deployment.key_file),
            ("/etc/glance/htpasswd", deployment.user_file),
            ("/var/lib/glance/glance.db", deployment.directory / "glance.db"),
            ("/var/lib/glance/images", deployment.stores["default"]),
            ("/var/lib/glance/staging", deployment.staging),
            ("/run/glance/registry.sock", deployment.socket),
        ]:
            text = text.replace(installed, str(ours))
        assert "/glance/" not in text.replace(str(deployment.directory), "")
        text = text.replace("bind_port = 9292", f"bind_port = {deployment.api.port}")
        (deployment.directory / name).write_text(text)
    deployment.transport = "unix"
    deployment.write_secrets()
    deployment.manage("db", "sync")
    deployment.start_program(deployment.registry)
    deployment.start_program(deployment.api)
    create(deployment, deployment.session(), b"data")
    for program in deployment.programs:
        assert "WARN" not in program.log, program.log


# --- the registry's door -----------------------------------------------------------------------------------------------


@pytest.fixture
def held(deployments):
    """A deployment whose API signed a request that never reached the registry, and that request."""
    deployment = prepared(deployments)
    proxy = RecordingProxy(deployment.registry_port)
    deployment.endpoint_override = f"http://127.0.0.1:{proxy.port}"
    deployment.write_api_configuration(deployment.api)
    deployment.start_program(deployment.registry)
    deployment.start_program(deployment.api)
    url = create(deployment, deployment.session())
    proxy.hold = b"POST /v1/images.show "
    asking = threading.Thread(target=lambda: deployment.session().get(url, timeout=60))
    asking.start()
    assert wait_until(lambda: proxy.held, 20), "the API did not ask for the image"
    proxy.hold = None
    asking.join(60)
    yield deployment, proxy.held
    proxy.close()


def ask_registry(deployment, request):
    with Connection(deployment.registry_port) as connection:
        connection.send(request)
        return connection.answer(10)


def test_only_the_unchanged_request_is_answered_and_only_once(held):
    deployment, request = held
    unsigned = b'POST /v1/images.show HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}'
    refused = ask_registry(deployment, unsigned)
    assert refused.status == 401

    at = request.index(b"\r\n\r\n") + 4
    body = request[at:]
    changes = [
        request[:at] + body.replace(b'"', b"'", 1),
        request.replace(b"/v1/images.show", b"/v1/images.list", 1),
        re.sub(rb"key-1", b"key-2", request, count=1),
        request[:at] + body[:-1] + (b" " if body[-1:] != b" " else b"\t"),
    ]
    for changed in changes:
        assert changed != request
        answer = ask_registry(deployment, changed)
        assert answer.status == 401
        assert answer.body == refused.body, "who has no key learns nothing from the answer"

    assert ask_registry(deployment, request).status == 200
    replayed = ask_registry(deployment, request)
    assert (replayed.status, replayed.body) == (401, refused.body)


def test_operations_that_do_not_exist_look_like_those_that_do(held):
    deployment, _ = held
    bodies = set()
    for path in (b"images.show", b"images.nothing", b"uploads.begin"):
        request = b"POST /v1/%s HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}" % path
        answer = ask_registry(deployment, request)
        assert answer.status == 401
        bodies.add(answer.body)
    assert len(bodies) == 1


def test_an_api_without_its_registry_says_so(deployments):
    deployment = deployments.start(auth="noauth")
    url = create(deployment, deployment.session())
    deployment.registry.kill()
    answer = deployment.session().get(url, timeout=60)
    assert answer.status_code == 503
    assert str(deployment.registry_port) not in answer.text
    deployment.restart(deployment.registry)
    assert wait_until(lambda: deployment.session().get(url, timeout=60).status_code == 200)


# --- stops and starts --------------------------------------------------------------------------------------------------


def test_a_graceful_stop_lets_a_slow_download_finish(deployments):
    deployment = deployments.start(auth="noauth")
    data = uuid.uuid4().bytes * 2_000_000
    url = create(deployment, deployment.session(), data)
    with Connection(deployment.api.port, receive_buffer=65536) as connection:
        connection.send(head("GET", url.removeprefix(deployment.url) + "/file", {"Connection": "close"}))
        received = bytearray(connection.read_some())
        deployment.api.send(signal.SIGTERM)
        # New work is refused meanwhile.
        assert wait_until(lambda: not is_served(deployment), 30), "it does not stop"
        time.sleep(1)
        assert deployment.api.is_alive, "it did not wait for the download"
        while more := connection.read_some(1024 * 1024):
            received += more
    answer = Answer(bytes(received))
    assert answer.status == 200
    assert answer.body == data
    assert deployment.api.process.wait(30) == 0


def is_served(deployment):
    try:
        return requests.get(deployment.url + "/v2/images", timeout=20).ok
    except requests.RequestException:
        return False


def test_a_second_start_keeps_the_data(deployments):
    deployment = deployments.start(auth="http_basic")
    session = deployment.session()
    url = create(deployment, session, b"kept")
    before = session.get(url).json()
    assert deployment.api.stop() == 0
    assert deployment.registry.stop() == 0
    deployment.manage("db", "sync")
    deployment.restart(deployment.registry)
    deployment.restart(deployment.api)
    session = deployment.session()
    assert session.get(url).json() == before
    assert session.get(url + "/file").content == b"kept"


@pytest.mark.skipif(databases.KIND != "sqlite", reason="PostgreSQL serves any number of registries")
def test_a_second_registry_on_the_same_sqlite_is_refused(deployments):
    deployment = deployments.start(auth="noauth")
    text = deployment.registry_configuration.read_text()
    other = deployment.directory / "second.conf"
    other.write_text(text.replace(f"bind_port = {deployment.registry_port}", f"bind_port = {free_port()}"))
    refusal("glance-registry", other)


def test_many_tags_at_once_are_all_kept(deployments):
    deployment = deployments.start(auth="noauth")
    url = create(deployment, deployment.session())
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = pool.map(lambda number: requests.put(f"{url}/tags/t{number}", timeout=60).status_code, range(48))
    assert set(answers) == {204}
    assert len(deployment.session().get(url).json()["tags"]) == 48
