"""Keystone's tokens, with a Keystone that does as it is told. (`make conformance` meets the real one.)"""

import calendar
import concurrent.futures
import time

import pytest
import requests

from scripted_keystone import ScriptedKeystone
from services import wait_until

MEMBER = ["member", "reader"]
IMPATIENT = "http_connect_timeout = 1"


@pytest.fixture
def keystone():
    with ScriptedKeystone() as server:
        yield server


@pytest.fixture
def start(deployments, keystone):
    """Starts a deployment that asks this Keystone; more lines for [keystone_authtoken] may be given."""

    def started(*lines):
        options = {"keystone_authtoken": [*keystone.options(), *lines]}
        return deployments.start(auth="keystone", options={"api": options})

    return started


def ask(deployment, token, seconds=60, **headers):
    headers = {"X-Auth-Token": token, **headers} if token else headers
    return requests.get(f"{deployment.url}/v2/images", headers=headers, timeout=seconds)


def is_good(deployment, token):
    return ask(deployment, token).status_code == 200


def short(deployment, keystone, seconds):
    """A token that was good a moment ago, and when it ends: a later one on a machine so busy that the first ended before."""
    for lasts in (seconds, 3 * seconds, 9 * seconds):
        token = keystone.issue("m", "demo", MEMBER, seconds=lasts)
        answer = ask(deployment, token)
        if answer.status_code == 200:
            break
    assert answer.status_code == 200, answer.text
    text = keystone.tokens[token]["token"]["expires_at"]
    return token, calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%S.000000Z"))


def sleep_until(moment):
    time.sleep(max(0, moment - time.time()))


def test_tokens_decide_who_is_calling(start, keystone):
    deployment = start()
    member = keystone.issue("m", "demo", MEMBER)
    reader = keystone.issue("r", "demo", ["reader"])
    other = keystone.issue("o", "other", MEMBER)
    made = requests.post(
        f"{deployment.url}/v2/images", json={"name": "x"}, headers={"X-Auth-Token": member}, timeout=30
    )
    assert made.status_code == 201 and made.json()["owner"] == "demo"
    url = f"{deployment.url}/v2/images/{made.json()['id']}"
    for token, expected in [(member, 200), (reader, 200), (other, 404), ("unknown", 401), (None, 401)]:
        headers = {"X-Auth-Token": token} if token else {}
        assert requests.get(url, headers=headers, timeout=30).status_code == expected
    for token in ("unknown", None):
        assert ask(deployment, token).headers["WWW-Authenticate"] == f'Keystone uri="{keystone.url}"'
    # Who one is, is not for the client to say.
    spoofed = ask(deployment, None, **{"X-Identity-Status": "Confirmed", "X-Roles": "admin", "X-User-Id": "root"})
    assert spoofed.status_code == 401


def test_a_thousand_requests_with_one_new_token_are_one_validation(start, keystone):
    deployment = start()
    token = keystone.issue("m", "demo", MEMBER)
    sessions = [requests.Session() for _ in range(40)]
    with concurrent.futures.ThreadPoolExecutor(len(sessions)) as pool:

        def some(session):
            session.headers["X-Auth-Token"] = token
            return [session.get(f"{deployment.url}/v2/images", timeout=60).status_code for _ in range(25)]

        statuses = [status for part in pool.map(some, sessions) for status in part]
    assert statuses == [200] * 1000
    assert keystone.validations == [token]
    assert keystone.logins == 1


def test_a_token_ends_with_its_time(start, keystone):
    deployment = start()
    token, end = short(deployment, keystone, 3)
    sleep_until(end + 0.5)
    assert ask(deployment, token).status_code == 401
    assert keystone.validations.count(token) == 1, "what has expired is known to have"


def test_a_revoked_token_ends_with_the_cache(start, keystone):
    deployment = start("token_cache_time = 4")
    for _ in range(4):
        token = keystone.issue("m", "demo", MEMBER)
        begin = time.monotonic()
        assert ask(deployment, token).status_code == 200
        del keystone.tokens[token]
        while_cached = ask(deployment, token).status_code
        # Asked later than that on a busy machine, it tells nothing.
        if time.monotonic() - begin < 4:
            break
    assert while_cached == 200
    time.sleep(4.2)
    assert ask(deployment, token).status_code == 401


def test_an_outage_spares_warm_tokens_and_is_503_for_new_ones(start, keystone):
    deployment = start("token_cache_time = 1", IMPATIENT)
    warm = keystone.issue("m", "demo", MEMBER)
    assert wait_until(lambda: is_good(deployment, warm), 60)
    # Long enough for what comes before its end, also on a machine that is busy.
    brief, end = short(deployment, keystone, 12)
    keystone.stop()
    time.sleep(1.2)
    assert [ask(deployment, token).status_code for token in (warm, brief)] == [200, 200], "past token_cache_time"
    new = ask(deployment, keystone.issue("n", "demo", MEMBER))
    assert new.status_code == 503 and int(new.headers["Retry-After"]) > 0
    sleep_until(end)
    assert [ask(deployment, token).status_code for token in (warm, brief)] == [200, 401]
    keystone.listen()
    later = keystone.issue("n", "demo", MEMBER)
    assert wait_until(lambda: is_good(deployment, later), 60)


def test_a_token_that_expires_while_keystone_is_silent_is_401(start, keystone):
    deployment = start("token_cache_time = 1", IMPATIENT)
    token, end = short(deployment, keystone, 6)
    keystone.fault = "slow"
    sleep_until(end - 0.3)
    # On a machine so busy that the token ends before it is asked about, the answer is the same.
    assert ask(deployment, token).status_code == 401


@pytest.mark.parametrize("fault", ["slow", "garbage", "error"])
def test_a_keystone_out_of_order_is_503_and_soon(start, keystone, fault):
    deployment = start(*[IMPATIENT] if fault == "slow" else [])
    warm = keystone.issue("m", "demo", MEMBER)
    assert wait_until(lambda: is_good(deployment, warm), 60)
    keystone.fault = fault
    begin = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(60) as pool:
        tokens = [keystone.issue(f"u{number}", "demo", MEMBER) for number in range(50)]
        new = [pool.submit(ask, deployment, token) for token in tokens]
        # Beside them, as if nothing had happened.
        for _ in range(20):
            start_of_one = time.monotonic()
            assert ask(deployment, warm).status_code == 200
            assert time.monotonic() - start_of_one < 15
        answers = [future.result() for future in new]
    assert {answer.status_code for answer in answers} == {503}
    assert all("Retry-After" in answer.headers for answer in answers)
    assert time.monotonic() - begin < 30, "a slow Keystone takes a minute, and its callers are not kept that long"
    keystone.fault = None
    later = keystone.issue("n", "demo", MEMBER)
    assert wait_until(lambda: is_good(deployment, later), 60)


def test_a_wrong_service_password_is_503_and_tried_rarely(start, keystone):
    deployment = start("password = wrong")
    begin = time.monotonic()
    for number in range(20):
        assert ask(deployment, keystone.issue(f"u{number}", "demo", MEMBER)).status_code == 503
    # Again after ten seconds, which this takes on a very busy machine alone.
    assert keystone.logins <= 1 + (time.monotonic() - begin) // 10
    assert "refuses the service user" in deployment.api.log


@pytest.mark.parametrize("strategy", ["None", "MAC", "ENCRYPT"])
def test_memcached_is_shared_and_may_fail(deployments, keystone, memcached, strategy):
    lines = [*keystone.options(), f"memcached_servers = {memcached}", f"memcache_security_strategy = {strategy}"]
    lines += ["memcache_secret_key = the-secret-of-the-cache", "memcache_pool_socket_timeout = 10"]
    deployment = deployments.start(auth="keystone", options={"api": {"keystone_authtoken": lines}})
    second = deployment.add_api()
    token = keystone.issue("m", "demo", MEMBER)
    assert ask(deployment, token).status_code == 200
    url = f"{second.url}/v2/images"
    assert requests.get(url, headers={"X-Auth-Token": token}, timeout=30).status_code == 200
    assert keystone.validations == [token], "the second API knows it from the first"
    assert "the-secret-of-the-cache" not in deployment.api.log


def test_a_cache_that_is_not_there_is_a_miss(start, keystone):
    deployment = start("memcached_servers = 127.0.0.1:1")
    assert ask(deployment, keystone.issue("m", "demo", MEMBER)).status_code == 200


@pytest.mark.parametrize("flavor", [None, "keystone", "keystone+caching", "keystone+cachemanagement"])
def test_an_existing_configuration_selects_keystone(deployments, keystone, flavor):
    options = {"keystone_authtoken": keystone.options()}
    if flavor:
        options["paste_deploy"] = [f"flavor = {flavor}"]
    deployment = deployments.prepare(auth="keystone", options={"api": options})
    deployment.names_strategy = False
    deployment.start()
    assert ask(deployment, keystone.issue("m", "demo", MEMBER)).status_code == 200
    assert ask(deployment, "x").status_code == 401


def test_secrets_are_nowhere_after_a_full_run(deployments, keystone):
    """Every kind of request, good and bad, at the most talkative setting: then all that was written is searched."""
    debug = {"DEFAULT": ["debug = true"]}
    lines = [*keystone.options(), "http_connect_timeout = 5"]
    options = {"api": {**debug, "keystone_authtoken": lines}, "registry": debug}
    deployment = deployments.start(auth="keystone", options=options)
    token = keystone.issue("m", "demo", MEMBER)
    service = keystone.issue("nova", "service", ["service"])
    answers = []

    def send(method, path, given=token, **arguments):
        headers = {"X-Auth-Token": given, "X-Service-Token": service, **arguments.pop("headers", {})}
        answer = requests.request(method, deployment.url + path, headers=headers, timeout=30, **arguments)
        answers.append(f"{answer.status_code} {answer.headers} {answer.text}")
        return answer

    image = send("POST", "/v2/images", json={"name": "x", "disk_format": "raw", "container_format": "bare"}).json()["id"]
    data = {"Content-Type": "application/octet-stream"}
    assert send("PUT", f"/v2/images/{image}/file", data=b"bytes", headers=data).status_code == 204
    assert send("GET", f"/v2/images/{image}/file").status_code == 200
    for method, path in [
        ("GET", "/"),
        ("GET", "/metrics"),
        ("GET", "/healthcheck"),
        ("GET", "/v2/images/none"),
        ("PATCH", f"/v2/images/{image}"),
        ("POST", "/v2/images"),
        ("PUT", f"/v2/images/{image}/members"),
        ("TRACE", "/v2/images"),
    ]:
        send(method, path)
        send(method, path, given=token[:-1] + "!")
    for fault in ("garbage", "error"):
        keystone.fault = fault
        assert send("GET", "/v2/images", given=keystone.issue(fault, "demo", MEMBER)).status_code == 503
    keystone.stop()
    assert send("GET", "/v2/images", given=keystone.issue("late", "demo", MEMBER)).status_code == 503
    assert send("DELETE", f"/v2/images/{image}").status_code == 204
    answers += [requests.get(deployment.url + "/metrics", timeout=10).text, deployment.registry.get("/metrics")]

    written = {"answers": "\n".join(answers)}
    own = {deployment.key_file, deployment.api.configuration}
    for file in deployment.directory.rglob("*"):
        if file.is_file() and file not in own:
            written[str(file)] = file.read_bytes().decode("latin-1")
    for program in deployment.programs:
        for name in ("cmdline", "environ"):
            with open(f"/proc/{program.process.pid}/{name}", "rb") as arguments:
                written[f"{program.name} {name}"] = arguments.read().decode("latin-1")
    texts = [*keystone.secret_texts(), *deployment.secret_texts()]
    assert len(texts) >= 7
    for where, text in written.items():
        for secret in texts:
            assert secret not in text, f"a secret is in {where}"
    assert any("api.log" in where and "keystone" in text for where, text in written.items()), "the log was searched"
