"""Who may do what with an image of which visibility, with the default policy; authorization.txt has what hangs on no
visibility."""

import json

import pytest

from services import User

PATCH = "application/openstack-images-v2.1-json-patch"
CHANGE = json.dumps([{"op": "replace", "path": "/name", "value": "n"}])
LOCATION = json.dumps({"url": "http://127.0.0.1:9/x"})
MEMBER = json.dumps({"member": "fourth"})
STATUS = json.dumps({"status": "rejected"})
DATA = "application/octet-stream"

# Who asks, and about an image of which visibility. 'guest' is of the project that the shared image is shared with.
COLUMNS = [
    ("owner", "shared"), ("reader", "shared"), ("guest", "shared"), ("other", "public"), ("other", "community"),
    ("other", "private"), ("other", "shared"), ("admin", "private"),
]  # fmt: skip

# Method, path behind the image, content type, body, status of the image, and an answer for each column.
OPERATIONS = [
    ("GET", "", None, None, "queued", "200 200 200 200 200 404 404 200"),
    ("GET", "/file", None, None, "active", "200 403 200 200 200 404 404 200"),
    ("PATCH", "", PATCH, CHANGE, "queued", "200 403 403 403 403 404 404 200"),
    ("PUT", "/tags/x", None, None, "queued", "204 403 403 403 403 404 404 204"),
    ("PUT", "/file", DATA, "x", "queued", "204 403 403 403 403 404 404 204"),
    ("PUT", "/stage", DATA, "x", "queued", "204 403 403 403 403 404 404 204"),
    ("POST", "/actions/deactivate", None, None, "active", "204 403 403 403 403 404 404 204"),
    ("POST", "/actions/reactivate", None, None, "active", "204 403 403 403 403 404 404 204"),
    ("DELETE", "", None, None, "active", "204 403 403 403 403 404 404 204"),
    ("GET", "/members", None, None, "queued", "200 200 200 403 403 404 404 403"),
    ("POST", "/members", "application/json", MEMBER, "queued", "200 403 403 403 403 404 404 403"),
    ("PUT", "/members/guest", "application/json", STATUS, "queued", "403 403 200 403 403 404 404 403"),
    ("DELETE", "/members/guest", None, None, "queued", "204 403 403 403 403 404 404 403"),
    ("GET", "/tasks", None, None, "queued", "200 200 200 200 200 404 404 200"),
    # Who may gets as far as the address, which nobody may have read.
    ("POST", "/locations", "application/json", LOCATION, "queued", "400 403 403 403 403 404 404 400"),
    ("GET", "/locations", None, None, "active", "403 403 403 403 403 404 404 200"),
]


@pytest.fixture(scope="module")
def deployment(shared_deployments):
    deployment = shared_deployments.start(auth="trusted_headers")
    users = [User("owner", "demo", "member,reader"), User("guest", "guest", "member,reader")]
    deployment.users.update({user.name: user for user in users})
    return deployment


def create(deployment, visibility, status):
    base = f"{deployment.url}/v2/images"
    body = {"name": "m", "visibility": visibility, "disk_format": "raw", "container_format": "bare"}
    # Only administrators make images public.
    answer = deployment.session("admin").post(base, json=body | {"owner": "demo"}, timeout=30)
    assert answer.status_code == 201, answer.text
    url = f"{base}/{answer.json()['id']}"
    owner = deployment.session("owner")
    if visibility == "shared":
        assert owner.post(f"{url}/members", json={"member": "guest"}, timeout=30).ok
    if status == "active":
        assert owner.put(f"{url}/file", data=b"x", headers={"Content-Type": DATA}, timeout=30).ok
    return url


@pytest.mark.parametrize("row", OPERATIONS, ids=lambda row: f"{row[0]} {row[1]}")
def test_who_may_do_what_with_which_image(deployment, row):
    method, path, content, body, status, expected = row
    got = []
    for user, visibility in COLUMNS:
        url = create(deployment, visibility, status)
        headers = {"Content-Type": content} if content else {}
        answer = deployment.session(user).request(method, url + path, data=body, headers=headers, timeout=30)
        got.append(answer.status_code)
    assert dict(zip(COLUMNS, got)) == dict(zip(COLUMNS, map(int, expected.split())))
