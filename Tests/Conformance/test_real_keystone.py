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


def test_keystone_stops_and_comes_back(deployment):
    """Last, because others need it."""
    warm, _ = login()
    new, _ = login("admin", "admin")
    assert ask(deployment, warm).status_code == 200
    subprocess.run([SCRIPT, "stop"], check=True, timeout=120)
    try:
        time.sleep(2.5)
        assert ask(deployment, warm).status_code == 200, "a warm token outlives the cache while nobody can be asked"
        away = ask(deployment, new)
        assert away.status_code == 503 and int(away.headers["Retry-After"]) > 0
    finally:
        subprocess.run([SCRIPT, "start"], check=True, timeout=300)
    time.sleep(1.5)
    assert ask(deployment, new).status_code == 200
