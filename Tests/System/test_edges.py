"""What surrounds the API: health, web pages of other origins, proxies, discovery, and requests at the limits."""

import json
import re
import subprocess

import pytest
import requests

from services import PROGRAMS
from wire import exchange

PAGE = "https://dashboard.example"
OPTIONS = {
    "api": {
        "cors": [f"allowed_origin = {PAGE}, https://other.example:8443"],
        "oslo_middleware": ["enable_proxy_headers_parsing = true"],
        "fast": ["store_description = On fast disks", "weight = 7"],
        "slow": ["filesystem_thin_provisioning = true"],
    }
}


@pytest.fixture(scope="module")
def plain(shared_deployments):
    """One store, and nothing configured that is not needed."""
    return shared_deployments.start()


@pytest.fixture(scope="module")
def rich(shared_deployments):
    """Two stores, CORS, and belief in proxies."""
    return shared_deployments.start(auth="trusted_headers", stores=("fast", "slow"), options=OPTIONS)


# --- health ---------------------------------------------------------------------------------------------------------


def test_health_in_all_forms(plain):
    url = plain.url + "/healthcheck"
    assert requests.head(url, timeout=10).status_code == 204
    answer = requests.get(url, headers={"Accept": "text/plain"}, timeout=10)
    assert (answer.status_code, answer.text) == (200, "OK")
    assert answer.headers["Content-Type"].startswith("text/plain")
    answer = requests.get(url, headers={"Accept": "application/json"}, timeout=10)
    assert answer.json() == {"detailed": False, "reasons": ["OK"]}
    answer = requests.get(url, headers={"Accept": "text/html"}, timeout=10)
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "x-openstack-request-id" not in answer.headers


def test_health_is_told_by_files(deployments):
    deployment = deployments.prepare(auth="noauth")
    off, on = deployment.directory / "off", deployment.directory / "on"
    mine, others = deployment.directory / "mine", deployment.directory / "others"
    on.touch()
    others.touch()
    port = deployment.api.port
    deployment.options = {
        "api": {
            "healthcheck": [
                f"disable_by_file_path = {off}",
                f"disable_by_file_paths = {port}:{mine}, {port + 1}:{others}",
                f"enable_by_file_paths = {on}",
                "detailed = true",
            ]
        }
    }
    deployment.start()
    url = deployment.url + "/healthcheck"
    assert requests.get(url, timeout=10).text == "OK"
    for flag in (off, mine):
        flag.touch()
        answer = requests.get(url, timeout=10)
        assert (answer.status_code, answer.text) == (503, "DISABLED BY FILE")
        assert requests.head(url, timeout=10).status_code == 503
        answer = requests.get(url, headers={"Accept": "application/json"}, timeout=10)
        assert answer.json() == {
            "detailed": True,
            "reasons": [{"reason": "DISABLED BY FILE", "details": f"Path '{flag}' was found"}],
        }
        flag.unlink()
        assert requests.get(url, timeout=10).status_code == 200
    on.unlink()
    assert requests.get(url, timeout=10).text == "FILE PATH MISSING"


def test_health_is_for_whom_it_is_for(deployments):
    lines = ["allowed_source_ranges = 192.0.2.0/24"]
    elsewhere = deployments.prepare(auth="noauth", options={"api": {"healthcheck": lines}})
    elsewhere.api.is_healthy = lambda: "Listening" in elsewhere.api.log
    elsewhere.start()
    answer = requests.get(elsewhere.url + "/healthcheck", timeout=10)
    assert answer.status_code == 404
    assert "could not be found" in answer.text

    lines = ["allowed_source_ranges = 127.0.0.0/8, ::1", "ignore_proxied_requests = true"]
    here = deployments.start(auth="noauth", options={"api": {"healthcheck": lines}})
    url = here.url + "/healthcheck"
    assert requests.get(url, timeout=10).status_code == 200
    for header in ("X-Forwarded-For", "X-Forwarded-Proto", "Forwarded"):
        assert requests.get(url, headers={header: "192.0.2.1"}, timeout=10).status_code == 404


# --- other origins --------------------------------------------------------------------------------------------------


def test_pages_of_allowed_origins_may_read_answers(rich):
    session = rich.session()
    for path, status in (("/v2/images", 200), ("/v2/nothing", 404), ("/", 300)):
        answer = session.get(rich.url + path, headers={"Origin": PAGE})
        assert answer.status_code == status
        assert answer.headers["Access-Control-Allow-Origin"] == PAGE
        assert answer.headers["Vary"] == "Origin"
        assert "X-OpenStack-Request-ID" in answer.headers["Access-Control-Expose-Headers"]


def test_other_pages_leave_no_trace(rich, plain):
    for deployment, origin in ((rich, "https://evil.example"), (plain, PAGE)):
        answer = deployment.session().get(deployment.url + "/v2/images", headers={"Origin": origin})
        assert not [name for name in answer.headers if name.lower().startswith(("access-control", "vary"))]


def test_preflights_need_no_credentials(rich, plain):
    ask = {"Origin": PAGE, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "x-auth-token"}
    answer = requests.options(rich.url + "/v2/images", headers=ask, timeout=10)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Methods"] == "PUT"
    assert answer.headers["Access-Control-Allow-Headers"].lower() == "x-auth-token"
    answer = plain.session().options(plain.url + "/v2/images", headers=ask)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, POST")


# --- proxies --------------------------------------------------------------------------------------------------------


def links(deployment, **headers):
    answer = requests.get(deployment.url + "/versions", headers=headers, timeout=10)
    return {version["links"][0]["href"] for version in answer.json()["versions"]}


def test_proxies_are_believed_when_configured(rich):
    assert links(rich) == {rich.url + "/v2/"}
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "img.example", "X-Forwarded-Prefix": "/image"}
    assert links(rich, **forwarded) == {"https://img.example/image/v2/"}
    assert links(rich, Forwarded="for=192.0.2.9;proto=https;host=img.example") == {"https://img.example/v2/"}
    answer = rich.session().get(rich.url + "/v2", headers=forwarded, allow_redirects=False)
    assert answer.headers["Location"] == "https://img.example/image/v2/"
    answer = rich.session().post(rich.url + "/v2/images", json={}, headers={**forwarded, "X-Forwarded-For": "192.0.2.9"})
    assert answer.headers["Location"] == f"https://img.example/image/v2/images/{answer.json()['id']}"
    assert "192.0.2.9" in rich.api.log


def test_a_forwarded_address_is_nobodys_identity(rich):
    headers = {"X-Forwarded-For": "127.0.0.1", "Forwarded": "for=127.0.0.1"}
    assert requests.get(rich.url + "/v2/images", headers=headers, timeout=10).status_code == 401


def test_proxies_are_not_believed_otherwise(plain):
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example", "X-Forwarded-Prefix": "/image"}
    assert links(plain, **forwarded, Forwarded="host=evil.example") == {plain.url + "/v2/"}


# --- discovery ------------------------------------------------------------------------------------------------------


def test_one_store_is_not_listed(plain):
    session = plain.session()
    assert session.get(plain.url + "/v2/info/import").json()["import-methods"]["value"] == []
    assert session.get(plain.url + "/v2/info/usage").json() == {"usage": {}}
    for path in ("/v2/info/stores", "/v2/info/stores/detail"):
        answer = session.get(plain.url + path)
        assert answer.status_code == 404
        assert answer.json()["message"] == "Multi backend is not supported at this site."


def test_several_stores_are_listed(rich):
    stores = rich.session("reader").get(rich.url + "/v2/info/stores").json()["stores"]
    assert stores == [{"id": "fast", "description": "On fast disks", "default": "true"}, {"id": "slow"}]
    url = rich.url + "/v2/info/stores/detail"
    refused = rich.session("member").get(url)
    assert refused.status_code == 403
    assert "not authorized to complete stores_info_detail action" in refused.text
    fast, slow = rich.session().get(url).json()["stores"]
    assert fast["type"] == slow["type"] == "file"
    assert (fast["weight"], slow["weight"]) == (7, 0)
    assert fast["properties"] == {
        "data_dir": str(rich.stores["fast"]),
        "chunk_size": 65536,
        "thin_provisioning": False,
    }
    assert slow["properties"]["thin_provisioning"] is True


def test_discovery_takes_get_alone(rich):
    session = rich.session()
    for path in ("import", "stores", "stores/detail"):
        answer = session.post(f"{rich.url}/v2/info/{path}")
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")
        assert session.get(f"{rich.url}/v2/info/{path}", data=b"x").status_code == 400
    answer = session.post(rich.url + "/v2/info/usage")
    assert answer.status_code == 404
    assert "Allow" not in answer.headers
    assert session.get(rich.url + "/v2/info/usage", data=b"x").status_code == 200


# --- declared properties --------------------------------------------------------------------------------------------


def test_the_operators_properties_are_served_and_checked(deployments):
    deployment = deployments.prepare(auth="noauth")
    schema = {"properties": {"rack": {"type": "string", "enum": ["a", "b"]}}, "required": ["rack"]}
    (deployment.directory / "schema-image.json").write_text(json.dumps(schema))
    deployment.start()
    served = requests.get(deployment.url + "/v2/schemas/image", timeout=10).json()
    assert served["properties"]["rack"] == {"type": "string", "enum": ["a", "b"], "is_base": False}
    assert "kernel_id" not in served["properties"]
    assert served["required"] == ["rack"]
    for body, status in (({"rack": "a"}, 201), ({"rack": "c"}, 400), ({}, 400)):
        answer = requests.post(deployment.url + "/v2/images", json=body, timeout=10)
        assert answer.status_code == status, answer.text


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("{", "is not JSON"),
        ("[]", "an object is expected"),
        ('{"size": {"type": "string"}}', "'size' is a field of every image"),
        ('{"rack": {"type": "integer"}}', "'rack' has a type other than string"),
    ],
)
def test_properties_that_cannot_be_declared_stop_the_start(deployments, text, phrase):
    deployment = deployments.prepare(auth="noauth")
    deployment.write_secrets()
    deployment.write_api_configuration(deployment.api)
    (deployment.directory / "schema-image.json").write_text(text)
    command = [PROGRAMS / "glance-api", *deployment.api.command[1:]]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert "schema-image.json" in ended.stderr and phrase in ended.stderr


# --- requests at the limits -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("req-a b", "req-a_b"),
        ("a\tb", "req-a_b"),
        ("caf\xe9", None),
        ("req-" + "x" * 60, "req-" + "x" * 60),
    ],
)
def test_request_ids_of_odd_characters(rich, sent, expected):
    headers = {"X-Openstack-Request-ID": sent}
    # Without an identity no id is told: only that nothing breaks.
    assert exchange(rich.api.port, "GET", "/v2/images", headers).status == 401
    headers |= {"X-Identity-Status": "Confirmed", "X-User-Id": "u", "X-Project-Id": "p", "X-Roles": "admin"}
    answer = exchange(rich.api.port, "GET", "/v2/images/none", headers)
    assert answer.status == 404
    told = answer.headers["x-openstack-request-id"]
    assert re.fullmatch(r"req-[!-~]+", told)
    assert expected is None or told == expected
    assert told in rich.api.log


def test_control_characters_in_a_request_id_are_not_http(plain):
    answer = exchange(plain.api.port, "GET", "/v2/images", {"X-Openstack-Request-ID": "a\x01b\x1b[2J"})
    assert answer.status in (400, 401)
    assert "\x1b" not in plain.api.log


@pytest.mark.parametrize(
    ("length", "statuses"), [(16_000, {200}), (17_000, {414}), (60_000, {414}), (200_000, {400, 414, 431})]
)
def test_long_urls(rich, length, statuses):
    answer = rich.session().get(f"{rich.url}/v2/images?name={'x' * length}")
    assert answer.status_code in statuses
    assert requests.get(rich.url + "/healthcheck", timeout=10).status_code == 200


@pytest.mark.parametrize("path", ["/v2/images", "/v2/nothing", "/v2/images/0b1c", "/v2/info/usage"])
def test_head_of_an_error_is_a_head(rich, path):
    answer = rich.session().head(rich.url + path)
    assert answer.status_code in (404, 405)
    assert answer.headers["Content-Length"] == "0"
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.content == b""


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("OPTIONS", "/v2/images", 405),
        ("OPTIONS", "/v2/nothing", 501),
        ("PROPFIND", "/v2/images", 405),
        ("PROPFIND", "/v2/nothing", 501),
        ("DELETE", "/v2/nothing", 404),
        ("PATCH", "/v2/images/", 404),
        ("OPTIONS", "/v2/info/usage", 404),
        ("OPTIONS", "/", 300),
    ],
)
def test_methods_that_do_not_fit(rich, method, path, status):
    answer = rich.session().request(method, rich.url + path)
    assert answer.status_code == status
    assert ("Allow" in answer.headers) == (status == 405)
