"""The programs, the `openstack` client and a real Keystone, which is running and named by KEYSTONE_URL
(Tests/Backends/keystone.sh env). Part of `make conformance`; the rest is in Tests/System/test_keystone.py."""

import json
import os
import pathlib
import subprocess
import sys
import time

import pytest
import requests

KEYSTONE = os.environ["KEYSTONE_URL"]
PASSWORD = os.environ["KEYSTONE_PASSWORD"]
SCRIPT = pathlib.Path(__file__).parents[1] / "Backends/keystone.sh"
DEFAULT = {"id": "default"}


def login(user="demo", project="demo", **scope):
    """A fresh token of that user, and what Keystone says of it."""
    scope = scope or {"project": {"name": project, "domain": DEFAULT}}
    identity = {"methods": ["password"], "password": {"user": {"name": user, "domain": DEFAULT, "password": PASSWORD}}}
    answer = requests.post(f"{KEYSTONE}/v3/auth/tokens", json={"auth": {"identity": identity, "scope": scope}}, timeout=30)
    answer.raise_for_status()
    return answer.headers["X-Subject-Token"], answer.json()["token"]


def account(**more):
    lines = {
        "auth_url": KEYSTONE,
        "www_authenticate_uri": KEYSTONE,
        "auth_type": "password",
        "username": "glance",
        "password": PASSWORD,
        "project_name": "service",
        "user_domain_name": "Default",
        "project_domain_name": "Default",
        "token_cache_time": "2",
        "http_connect_timeout": "10",
        **more,
    }
    return [f"{name} = {value}" for name, value in lines.items() if value is not None]


@pytest.fixture(scope="module")
def deployment(shared_deployments):
    return shared_deployments.start(auth="keystone", options={"api": {"keystone_authtoken": account()}})


def ask(deployment, token, method="GET", path="/v2/images", **headers):
    headers["X-Auth-Token"] = token
    return requests.request(method, deployment.url + path, headers=headers, timeout=60)


def openstack(deployment, *arguments, user="demo", project="demo"):
    environment = {
        "HOME": str(deployment.directory),
        "PATH": "/usr/bin:/bin",
        "LC_ALL": "C.UTF-8",
        "OS_AUTH_URL": f"{KEYSTONE}/v3",
        "OS_USERNAME": user,
        "OS_PASSWORD": PASSWORD,
        "OS_PROJECT_NAME": project,
        "OS_USER_DOMAIN_ID": "default",
        "OS_PROJECT_DOMAIN_ID": "default",
        "OS_IDENTITY_API_VERSION": "3",
        "OS_IMAGE_ENDPOINT_OVERRIDE": deployment.url,
    }
    command = [pathlib.Path(sys.executable).parent / "openstack", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, env=environment, stdin=subprocess.DEVNULL
    )


def test_login_with_the_openstack_client(deployment, tmp_path):
    data = tmp_path / "data"
    data.write_bytes(os.urandom(100_000))
    made = openstack(deployment, "image", "create", "-f", "json", "--disk-format", "raw", "--file", str(data), "mine")
    assert made.returncode == 0, made.stderr
    image = json.loads(made.stdout)["id"]
    shown = openstack(deployment, "image", "show", "-f", "json", image)
    assert json.loads(shown.stdout)["status"] == "active"
    hidden = openstack(deployment, "image", "show", image, user="other", project="other")
    assert hidden.returncode != 0
    assert openstack(deployment, "image", "show", image, user="admin", project="admin").returncode == 0
    refused = openstack(deployment, "image", "delete", image, user="reader")
    assert refused.returncode != 0 and "403" in refused.stdout + refused.stderr
    assert openstack(deployment, "image", "delete", image).returncode == 0


def test_roles_and_scopes(deployment):
    image = {"name": "x"}
    for user, project, expected in [("admin", "admin", 201), ("demo", "demo", 201), ("reader", "demo", 403)]:
        token, _ = login(user, project)
        answer = requests.post(deployment.url + "/v2/images", json=image, headers={"X-Auth-Token": token}, timeout=60)
        assert answer.status_code == expected
    for scope in ({"system": {"all": True}}, {"domain": DEFAULT}):
        assert ask(deployment, login("admin", **scope)[0]).status_code == 403
    assert ask(deployment, "gAAAAnothing").status_code == 401


def test_a_revoked_token_ends_with_the_cache(deployment):
    token, _ = login()
    assert ask(deployment, token).status_code == 200
    headers = {"X-Auth-Token": token, "X-Subject-Token": token}
    assert requests.delete(f"{KEYSTONE}/v3/auth/tokens", headers=headers, timeout=30).status_code == 204
    time.sleep(2.5)
    refused = ask(deployment, token)
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"] == f'Keystone uri="{KEYSTONE}"'


def application_credential(**more):
    token, document = login("glance", "service")
    user = document["user"]["id"]
    answer = requests.post(
        f"{KEYSTONE}/v3/users/{user}/application_credentials",
        json={"application_credential": {"name": os.urandom(8).hex(), **more}},
        headers={"X-Auth-Token": token},
        timeout=30,
    )
    answer.raise_for_status()
    return answer.json()["application_credential"]


def test_the_service_logs_in_with_an_application_credential(deployments):
    made = application_credential(unrestricted=True)
    lines = account(
        auth_type="v3applicationcredential",
        application_credential_id=made["id"],
        application_credential_secret=made["secret"],
        username=None,
        password=None,
        project_name=None,
    )
    deployment = deployments.start(auth="keystone", options={"api": {"keystone_authtoken": lines}})
    assert ask(deployment, login()[0]).status_code == 200
    assert ask(deployment, "gAAAAnothing").status_code == 401
    assert made["secret"] not in deployment.api.log


def test_access_rules_of_an_application_credential(deployments):
    options = {"api": {"keystone_authtoken": account(service_type="image")}}
    deployment = deployments.start(auth="keystone", options=options)
    made = application_credential(access_rules=[{"service": "image", "method": "GET", "path": "/v2/images"}])
    identity = {
        "methods": ["application_credential"],
        "application_credential": {"id": made["id"], "secret": made["secret"]},
    }
    answer = requests.post(f"{KEYSTONE}/v3/auth/tokens", json={"auth": {"identity": identity}}, timeout=30)
    token = answer.headers["X-Subject-Token"]
    assert ask(deployment, token).status_code == 200
    assert ask(deployment, token, path="/v2/schemas/image").status_code == 401
    assert ask(deployment, token, "POST").status_code == 401


def test_a_service_token_lets_an_expired_token_pass(deployment):
    """Keystone's own rule decides for how long; a token that it does not know stays unknown."""
    service, _ = login("glance", "service")
    token, _ = login()
    assert ask(deployment, token, **{"X-Service-Token": service}).status_code == 200
    assert ask(deployment, "gAAAAnothing", **{"X-Service-Token": service}).status_code == 401


class UnifiedLimits:
    """Keystone's limits of the image service, as an administrator sets them."""

    resources = ("image_count_total", "image_count_uploading", "image_size_total", "image_stage_total")

    def __init__(self):
        self.headers = {"X-Auth-Token": login("admin", system={"all": True})[0]}
        service = self.call("GET", "services?type=image")["services"][0]["id"]
        public = self.call("GET", f"endpoints?service_id={service}&interface=public")["endpoints"][0]
        self.endpoint, self.region = public["id"], public["region_id"]
        self.place = {"service_id": service, "region_id": self.region}
        self.remove()
        entries = [{**self.place, "resource_name": name, "default_limit": -1} for name in self.resources]
        self.call("POST", "registered_limits", {"registered_limits": entries})

    def call(self, method, path, body=None):
        answer = requests.request(method, f"{KEYSTONE}/v3/{path}", json=body, headers=self.headers, timeout=30)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def all(self, kind):
        return self.call("GET", f"{kind}?service_id={self.place['service_id']}")[kind]

    def remove(self):
        for kind in ("limits", "registered_limits"):
            for entry in self.all(kind):
                self.call("DELETE", f"{kind}/{entry['id']}")

    def set(self, project, name, value):
        known = [e for e in self.all("limits") if (e["project_id"], e["resource_name"]) == (project, name)]
        if known:
            return self.call("PATCH", f"limits/{known[0]['id']}", {"limit": {"resource_limit": value}})
        entry = {**self.place, "project_id": project, "resource_name": name, "resource_limit": value}
        self.call("POST", "limits", {"limits": [entry]})


@pytest.fixture(scope="module")
def limits():
    made = UnifiedLimits()
    yield made
    made.remove()


def limited(deployments, *lines):
    options = {"DEFAULT": ["use_keystone_limits = true"], "keystone_authtoken": account(), "oslo_limit": list(lines)}
    return deployments.start(auth="keystone", options={"api": options})


IMAGE = {"disk_format": "raw", "container_format": "bare"}
BYTES = {"Content-Type": "application/octet-stream"}
MIB = 1 << 20


@pytest.mark.parametrize("way", ["endpoint", "system", "named"])
def test_unified_limits(deployments, limits, way):
    """However the service's endpoint is told, and whichever account asks: the service's, or one with a role on the system."""
    named = ["endpoint_service_type = image", "endpoint_service_name = glance", f"endpoint_region_name = {limits.region}"]
    lines = {"endpoint": [f"endpoint_id = {limits.endpoint}"], "named": named}
    system = [line for line in account(project_name=None, project_domain_name=None) if not line.startswith("www_")]
    lines["system"] = [*lines["endpoint"], *(line for line in system if "_time" not in line), "system_scope = all"]
    deployment = limited(deployments, *lines[way])
    token, document = login()
    other, _ = login("other", "other")
    project = document["project"]["id"]

    def send(path, method="POST", token=token, **arguments):
        headers = {"X-Auth-Token": token, **(BYTES if "data" in arguments else {})}
        return requests.request(method, f"{deployment.url}/v2/{path}", headers=headers, timeout=60, **arguments)

    def usage(name):
        entry = send("info/usage", "GET").json()["usage"][name]
        return entry["usage"], entry["limit"]

    limits.set(project, "image_count_total", 3)
    images = [send("images", json=IMAGE).json()["id"] for _ in range(3)]
    refused = send("images", json=IMAGE)
    assert refused.status_code == 413
    assert "image_count_total is over limit of 3 due to current usage 3 and delta 1" in refused.text
    assert send("images", token=other, json=IMAGE).status_code == 201, "the limit is one project's"
    assert usage("image_count_total") == (3, 3) and usage("image_size_total") == (0, -1)
    limits.set(project, "image_size_total", 2)
    assert send(f"images/{images[0]}/file", "PUT", data=bytes(2 * MIB)).status_code == 204
    refused = send(f"images/{images[1]}/file", "PUT", data=bytes(MIB))
    assert refused.status_code == 413
    assert "image_size_total is over limit of 2 due to current usage 2 and delta 1" in refused.text
    limits.set(project, "image_stage_total", 1)
    assert send(f"images/{images[1]}/stage", "PUT", data=bytes(MIB)).status_code == 204
    refused = send(f"images/{images[2]}/stage", "PUT", data=bytes(MIB))
    assert refused.status_code == 413
    assert "image_stage_total is over limit of 1 due to current usage 1 and delta 1" in refused.text
    limits.set(project, "image_size_total", -1)
    limits.set(project, "image_count_uploading", 1)
    refused = send(f"images/{images[2]}/file", "PUT", data=b"x")
    assert refused.status_code == 413
    assert "image_count_uploading is over limit of 1 due to current usage 2 and delta 0" in refused.text
    assert usage("image_stage_total") == (1, 1) and usage("image_count_uploading") == (1, 1)
    limits.set(project, "image_count_uploading", -1)
    assert send(f"images/{images[2]}/file", "PUT", data=b"x").status_code == 204


def test_a_token_of_another_scope_without_enforce_scope(deployments):
    options = {"keystone_authtoken": account(), "oslo_policy": ["enforce_scope = false"]}
    deployment = deployments.start(auth="keystone", options={"api": options})
    for scope in ({"system": {"all": True}}, {"domain": DEFAULT}):
        assert ask(deployment, login("admin", **scope)[0]).status_code == 200


def test_keystone_stops_and_comes_back(deployment, deployments, limits):
    """Last, because others need it."""
    warm, _ = login()
    bounded = limited(deployments, f"endpoint_id = {limits.endpoint}")
    limits.set(login()[1]["project"]["id"], "image_count_total", -1)

    def make():
        return requests.post(f"{bounded.url}/v2/images", json=IMAGE, headers={"X-Auth-Token": warm}, timeout=60)

    made = make()
    assert made.status_code == 201
    new, _ = login("admin", "admin")
    assert ask(deployment, warm).status_code == 200
    subprocess.run([SCRIPT, "stop"], check=True, timeout=120)
    try:
        time.sleep(2.5)
        assert ask(deployment, warm).status_code == 200, "a warm token outlives the cache while nobody can be asked"
        away = ask(deployment, new)
        assert away.status_code == 503 and int(away.headers["Retry-After"]) > 0
        refused = make()
        assert refused.status_code == 503 and "Keystone did not tell the limits" in refused.text
        assert ask(bounded, warm, path=f"/v2/images/{made.json()['id']}").status_code == 200
    finally:
        subprocess.run([SCRIPT, "start"], check=True, timeout=300)
    time.sleep(1.5)
    assert ask(deployment, new).status_code == 200
    assert make().status_code == 201
