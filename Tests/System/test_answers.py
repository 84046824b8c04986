"""What every answer carries: statuses, headers and links of the Image API v2, through the real programs."""

import hashlib
import re
import uuid

import pytest
import requests

from wire import exchange

SHAPES = [
    pytest.param({"auth": "http_basic", "transport": "tcp"}, id="http_basic-tcp-one_store"),
    pytest.param({"auth": "http_basic", "transport": "unix", "stores": ("fast", "slow")}, id="http_basic-unix-stores"),
    pytest.param({"auth": "noauth", "transport": "unix"}, id="noauth-unix-one_store"),
    pytest.param({"auth": "trusted_headers", "transport": "tcp", "stores": ("fast", "slow")}, id="trusted-tcp-stores"),
]
DATA = bytes(range(256)) * 4096 + b"odd"
NINE = b"123456789"
V21 = "application/openstack-images-v2.1-json-patch"
V20 = "application/openstack-images-v2.0-json-patch"


@pytest.fixture(scope="module", params=SHAPES)
def deployment(request, shared_deployments):
    return shared_deployments.start(**request.param)


@pytest.fixture
def session(deployment):
    return deployment.session()


def create(deployment, session, **fields):
    body = {"name": "one", "disk_format": "raw", "container_format": "bare", **fields}
    answer = session.post(f"{deployment.url}/v2/images", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def upload(deployment, session, image_id, data=DATA, **headers):
    headers = {"Content-Type": "application/octet-stream", **headers}
    return session.put(f"{deployment.url}/v2/images/{image_id}/file", data=data, headers=headers)


@pytest.fixture
def active(deployment, session):
    """The id of an active image of nine bytes."""
    image_id = create(deployment, session)
    assert upload(deployment, session, image_id, NINE).status_code == 204
    return image_id


def test_root_offers_the_versions(deployment):
    answer = requests.get(deployment.url + "/", timeout=10)
    assert answer.status_code == 300
    assert answer.headers["Content-Type"].startswith("application/json")
    assert "x-openstack-request-id" not in answer.headers
    versions = answer.json()["versions"]
    ids = [version["id"] for version in versions]
    assert {"v2.0", "v2.1", "v2.7", "v2.9", "v2.15", "v2.17"} <= set(ids)
    assert ("v2.8" in ids) == deployment.is_multi_store
    assert [version["id"] for version in versions if version["status"] == "CURRENT"] == ["v2.17"]
    assert all(v["links"] == [{"rel": "self", "href": f"{deployment.url}/v2/"}] for v in versions)


@pytest.mark.parametrize(("path", "status"), [("/versions", 200), ("/v1/images", 300), ("/v3", 300), ("/images", 300)])
def test_other_paths_offer_the_versions_too(deployment, path, status):
    answer = requests.get(deployment.url + path, timeout=10)
    assert answer.status_code == status
    assert answer.json()["versions"]


def test_v2_redirects_to_its_slash(deployment, session):
    answer = session.get(deployment.url + "/v2", allow_redirects=False)
    assert answer.status_code == 302
    assert answer.headers["Location"] == deployment.url + "/v2/"
    assert session.get(deployment.url + "/v2/").status_code == 404


def test_create_answers_the_record_and_where_it_is(deployment, session):
    answer = session.post(
        f"{deployment.url}/v2/images",
        json={"name": "alpine", "disk_format": "qcow2", "container_format": "bare", "tags": ["b", "a", "b"], "os": "x"},
    )
    assert answer.status_code == 201
    record = answer.json()
    image_id = record["id"]
    assert answer.headers["Location"] == f"{deployment.url}/v2/images/{image_id}"
    assert answer.headers["Content-Type"].startswith("application/json")
    if deployment.is_multi_store:
        assert set(answer.headers["OpenStack-image-store-ids"].split(",")) == {"fast", "slow"}
    else:
        assert "OpenStack-image-store-ids" not in answer.headers
    assert uuid.UUID(image_id).version == 4
    assert record["self"] == f"/v2/images/{image_id}"
    assert record["file"] == f"/v2/images/{image_id}/file"
    assert record["schema"] == "/v2/schemas/image"
    assert record["status"] == "queued"
    assert record["visibility"] == "shared"
    assert sorted(record["tags"]) == ["a", "b"]
    assert record["os"] == "x"
    assert record["created_at"] == record["updated_at"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", record["created_at"])
    for name in ("size", "virtual_size", "checksum", "os_hash_algo", "os_hash_value"):
        assert record[name] is None
    assert (record["min_disk"], record["min_ram"], record["protected"], record["os_hidden"]) == (0, 0, False, False)
    assert session.get(f"{deployment.url}/v2/images/{image_id}").json() == record


def test_an_id_is_never_used_twice(deployment, session):
    image_id = str(uuid.uuid4())
    create(deployment, session, id=image_id)
    body = {"id": image_id}
    again = session.post(f"{deployment.url}/v2/images", json=body)
    assert again.status_code == 409
    assert f"Image ID {image_id} already exists!" in again.text
    assert session.delete(f"{deployment.url}/v2/images/{image_id}").status_code == 204
    assert session.post(f"{deployment.url}/v2/images", json=body).status_code == 409


def test_upload_download_and_second_upload(deployment, session):
    image_id = create(deployment, session)
    assert session.get(f"{deployment.url}/v2/images/{image_id}/file").status_code == 204
    answer = upload(deployment, session, image_id)
    assert (answer.status_code, answer.content) == (204, b"")
    record = session.get(f"{deployment.url}/v2/images/{image_id}").json()
    assert record["status"] == "active"
    assert record["size"] == len(DATA)
    assert record["checksum"] == hashlib.md5(DATA).hexdigest()
    assert record["os_hash_value"] == hashlib.sha512(DATA).hexdigest()
    if deployment.is_multi_store:
        assert record["stores"] == "fast"
    answer = session.get(f"{deployment.url}/v2/images/{image_id}/file")
    assert answer.status_code == 200
    assert answer.content == DATA
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Length"] == str(len(DATA))
    assert answer.headers["Content-MD5"] == record["checksum"]
    again = upload(deployment, session, image_id, b"other")
    assert again.status_code == 409
    assert "Image status transition from active to saving is not allowed" in again.text
    assert session.get(f"{deployment.url}/v2/images/{image_id}/file").content == DATA


def test_chunked_and_empty_uploads(deployment, session):
    chunked = create(deployment, session)
    assert upload(deployment, session, chunked, iter([b"one", b"two"])).status_code == 204
    assert session.get(f"{deployment.url}/v2/images/{chunked}").json()["size"] == 6
    empty = create(deployment, session)
    assert upload(deployment, session, empty, b"").status_code == 204
    record = session.get(f"{deployment.url}/v2/images/{empty}").json()
    assert (record["status"], record["size"]) == ("active", 0)


def test_upload_wants_its_content_type(deployment, session):
    image_id = create(deployment, session)
    answer = upload(deployment, session, image_id, b"x", **{"Content-Type": "text/plain"})
    assert answer.status_code == 415
    assert "Invalid content type text/plain" in answer.text


def test_upload_wants_both_formats(deployment, session):
    image_id = create(deployment, session, disk_format=None)
    answer = upload(deployment, session, image_id, b"x")
    assert answer.status_code == 400
    assert "must be set prior to saving data." in answer.text


def test_upload_chooses_its_store(deployment, session):
    if not deployment.is_multi_store:
        # In single-store mode the header has no meaning.
        image_id = create(deployment, session)
        assert upload(deployment, session, image_id, NINE, **{"x-image-meta-store": "slow"}).status_code == 204
        return
    image_id = create(deployment, session)
    refused = upload(deployment, session, image_id, NINE, **{"x-image-meta-store": "nowhere"})
    assert refused.status_code == 400
    assert "Store for identifier nowhere not found" in refused.text
    assert upload(deployment, session, image_id, NINE, **{"x-image-meta-store": "slow"}).status_code == 204
    assert session.get(f"{deployment.url}/v2/images/{image_id}").json()["stores"] == "slow"
    assert [path.read_bytes() for path in deployment.stores["slow"].rglob(image_id)] == [NINE]


RANGES = [
    ("Range", "bytes=0-4", 206, (0, 4)),
    ("Range", "bytes=4-", 206, (4, 8)),
    ("Range", "bytes=-3", 206, (6, 8)),
    ("Range", "bytes=-100", 206, (0, 8)),
    ("Range", "bytes=0-100", 206, (0, 8)),
    ("Range", "bytes=9-", 416, "Invalid start position in Range header."),
    ("Range", "bytes=5-2", 416, "Invalid Range header."),
    ("Range", "foo", 416, "Invalid Range header."),
    ("Range", "items=0-1", 416, "Invalid Range header."),
    ("Range", "bytes=0-1,3-4", 400, "Requests with multiple ranges are not supported"),
    ("Content-Range", "bytes 0-4/9", 206, (0, 4)),
    ("Content-Range", "bytes 0-4/*", 206, (0, 4)),
    ("Content-Range", "bytes 3-20/*", 416, "Invalid stop position in Content-Range header."),
    ("Content-Range", "bytes 3-20/9", 416, "Invalid Content-Range header."),
    ("Content-Range", "bytes 2-1/9", 416, "Invalid Content-Range header."),
    ("Content-Range", "foo", 416, "Invalid Content-Range header."),
    ("Content-Range", "bytes 12-20/30", 416, "Invalid start position in Content-Range header."),
    ("Content-Range", "bytes 3-20/30", 416, ""),
    ("Content-Range", "bytes */9", 416, ""),
]


@pytest.mark.parametrize(("header", "value", "status", "expected"), RANGES)
def test_ranges(deployment, session, active, header, value, status, expected):
    answer = session.get(f"{deployment.url}/v2/images/{active}/file", headers={header: value})
    assert answer.status_code == status
    if status == 206:
        first, last = expected
        assert answer.content == NINE[first : last + 1]
        assert answer.headers["Content-Range"] == f"bytes {first}-{last}/9"
        assert answer.headers["Content-Length"] == str(last - first + 1)
        assert answer.headers["Content-MD5"] == hashlib.md5(NINE).hexdigest()
    else:
        assert expected in answer.text
        assert "Content-Range" not in answer.headers


def test_list_pages_by_relative_links(deployment, session):
    marker = f"page-{uuid.uuid4().hex[:8]}"
    ids = [create(deployment, session, name=marker) for _ in range(3)]
    first = session.get(f"{deployment.url}/v2/images?limit=2&name={marker}").json()
    assert first["schema"] == "/v2/schemas/images"
    assert first["first"].startswith("/v2/images?")
    assert "marker" not in first["first"]
    assert first["next"].startswith("/v2/images?")
    assert f"marker={first['images'][-1]['id']}" in first["next"]
    second = session.get(deployment.url + first["next"]).json()
    assert "next" not in second
    assert sorted(r["id"] for r in first["images"] + second["images"]) == sorted(ids)
    assert session.get(f"{deployment.url}/v2/images?limit=0").json()["images"] == []
    for query, phrase in [
        ("limit=x", "limit param must be an integer"),
        ("limit=-1", "limit param must be positive"),
        (f"marker={uuid.uuid4()}", "No image found with ID"),
    ]:
        answer = session.get(f"{deployment.url}/v2/images?{query}")
        assert answer.status_code == 400
        assert phrase in answer.text


def test_list_without_parameters_has_a_plain_first_link(deployment, session):
    assert session.get(f"{deployment.url}/v2/images").json()["first"] == "/v2/images"


def test_patch_in_both_dialects(deployment, session):
    image_id = create(deployment, session, os="x")
    url = f"{deployment.url}/v2/images/{image_id}"
    change = [{"op": "replace", "path": "/name", "value": "two"}, {"op": "add", "path": "/a~1b", "value": "c"}]
    answer = session.patch(url, json=change, headers={"Content-Type": V21})
    assert answer.status_code == 200
    assert (answer.json()["name"], answer.json()["a/b"]) == ("two", "c")
    answer = session.patch(url, json=[{"remove": "/os"}, {"add": "/tags", "value": ["t"]}], headers={"Content-Type": V20})
    # The older dialect refuses to add what is there: nothing of the request is stored.
    assert answer.status_code == 409
    assert session.get(url).json()["os"] == "x"
    answer = session.patch(url, json=[{"remove": "/os"}], headers={"Content-Type": V20})
    assert answer.status_code == 200
    assert "os" not in answer.json()
    assert session.patch(url, json=[], headers={"Content-Type": V21}).status_code == 200


def test_operations_of_a_patch_are_judged_in_their_order(deployment):
    if deployment.auth == "noauth":
        # Everybody is an administrator, and may make images public.
        return
    member = deployment.session("member")
    url = f"{deployment.url}/v2/images/{create(deployment, member)}"
    publish = {"op": "replace", "path": "/visibility", "value": "public"}
    nothing = {"op": "remove", "path": "/nope"}
    for operations, status, phrase in (
        ([publish, nothing], 403, "publicize_image"),
        ([nothing, publish], 409, "Property nope does not exist."),
    ):
        answer = member.patch(url, json=operations, headers={"Content-Type": V21})
        assert answer.status_code == status, answer.text
        assert phrase in answer.text


def test_patch_names_the_types_it_takes(deployment, session):
    image_id = create(deployment, session)
    answer = session.patch(f"{deployment.url}/v2/images/{image_id}", json=[], headers={"Content-Type": "application/json"})
    assert answer.status_code == 415
    assert V20 in answer.headers["Accept-Patch"]
    assert V21 in answer.headers["Accept-Patch"]


def test_tags_actions_and_delete_answer_204(deployment, session, active):
    url = f"{deployment.url}/v2/images/{active}"
    for method, path in [
        ("PUT", "/tags/a%40b"),
        ("PUT", "/tags/a%40b"),
        ("POST", "/actions/deactivate"),
        ("POST", "/actions/deactivate"),
        ("POST", "/actions/reactivate"),
        ("DELETE", "/tags/a%40b"),
        ("DELETE", ""),
    ]:
        answer = session.request(method, url + path)
        assert (answer.status_code, answer.content) == (204, b""), path
    assert session.get(url).status_code == 404
    assert session.delete(url).status_code == 404


def test_a_protected_image_is_not_deleted(deployment, session):
    image_id = create(deployment, session, protected=True)
    answer = session.delete(f"{deployment.url}/v2/images/{image_id}")
    assert answer.status_code == 403
    assert f"Image {image_id} is protected and cannot be deleted." in answer.text


def test_schemas_are_what_clients_build_their_models_from(deployment, session):
    image = session.get(f"{deployment.url}/v2/schemas/image").json()
    images = session.get(f"{deployment.url}/v2/schemas/images").json()
    assert image["name"] == "image"
    assert image["additionalProperties"] == {"type": "string"}
    base = {name for name, rule in image["properties"].items() if rule.get("is_base", True)}
    assert base == {
        "id", "name", "status", "visibility", "protected", "os_hidden", "checksum", "os_hash_algo", "os_hash_value",
        "owner", "size", "virtual_size", "container_format", "disk_format", "created_at", "updated_at", "tags",
        "direct_url", "min_ram", "min_disk", "self", "file", "stores", "schema", "locations",
    }  # fmt: skip
    assert images["properties"]["images"]["items"] == image
    assert session.get(f"{deployment.url}/v2/schemas/image", data="{}").status_code == 400


@pytest.mark.parametrize(
    ("sent", "expected"),
    [(None, r"req-[0-9a-f-]{36}"), ("req-mine", "req-mine"), ("mine", "req-mine")],
)
def test_request_ids(deployment, session, sent, expected):
    headers = {"X-OpenStack-Request-ID": sent} if sent else {}
    for path in ("/v2/images", f"/v2/images/{uuid.uuid4()}"):
        answer = session.get(deployment.url + path, headers=headers)
        assert re.fullmatch(expected, answer.headers["x-openstack-request-id"])


def test_too_long_request_id(deployment, session):
    answer = session.get(f"{deployment.url}/v2/images", headers={"X-OpenStack-Request-ID": "req-" + "x" * 61})
    assert answer.status_code == 431


ALLOWED = {
    "/v2/images": {"GET", "POST"},
    "/v2/images/{id}": {"GET", "PATCH", "DELETE"},
    "/v2/images/{id}/file": {"GET", "PUT"},
    "/v2/images/{id}/actions/deactivate": {"POST"},
    "/v2/images/{id}/tags/t": {"PUT", "DELETE"},
    "/v2/schemas/image": {"GET"},
    "/v2/schemas/images": {"GET"},
}


@pytest.mark.parametrize("path", ALLOWED)
def test_other_methods_are_told_the_allowed_ones(deployment, session, active, path):
    for method in {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"} - ALLOWED[path]:
        answer = session.request(method, deployment.url + path.replace("{id}", active))
        assert answer.status_code == 405, method
        assert {name.strip() for name in answer.headers["Allow"].split(",")} == ALLOWED[path]


@pytest.mark.parametrize("path", ["/v2/images/", "/v2/nothing", "/v2/images/x/nothing", "/v2/images/x/tags/a%2Fb"])
def test_unknown_paths(deployment, session, path):
    assert session.get(deployment.url + path).status_code == 404


FORMS = [
    (None, "text/plain"),
    ("", "text/plain"),
    ("application/json", "application/json"),
    ("*/*", "text/html"),
    ("text/html", "text/html"),
    ("text/*", "text/html"),
    ("text/plain", "text/plain"),
    ("application/vnd.example+json", "text/plain"),
]


@pytest.mark.parametrize(("accept", "content_type"), FORMS)
def test_errors_come_in_the_form_that_is_asked_for(deployment, accept, content_type):
    image_id = uuid.uuid4()
    session = deployment.session(accept=accept)
    answer = session.get(f"{deployment.url}/v2/images/{image_id}")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].split(";")[0] == content_type
    assert f"No image found with ID {image_id}" in answer.text
    if content_type == "application/json":
        body = answer.json()
        assert set(body) == {"message", "code", "title"}
        assert (body["code"], body["title"]) == ("404 Not Found", "Not Found")
    elif content_type == "text/html":
        assert "<title>404 Not Found</title>" in answer.text
    else:
        assert answer.text.startswith("404 Not Found\n\n")


def test_who_may_not(deployment, active):
    if deployment.auth == "noauth":
        # Everybody is the administrator here, and nobody is asked.
        assert requests.get(f"{deployment.url}/v2/images", timeout=10).status_code == 200
        return
    anonymous = exchange(deployment.api.port, "GET", "/v2/images", {"Connection": "close"})
    assert anonymous.status == 401
    assert "x-openstack-request-id" not in anonymous.headers
    if deployment.auth == "http_basic":
        assert anonymous.headers["www-authenticate"].lower().startswith("basic")
        wrong = requests.get(f"{deployment.url}/v2/images", auth=("admin", "wrong"), timeout=10)
        assert wrong.status_code == 401
        unknown = requests.get(f"{deployment.url}/v2/images", auth=("nobody", "wrong"), timeout=10)
        assert unknown.text == wrong.text
    # Shared with nobody, and therefore not there for others.
    assert deployment.session("other").get(f"{deployment.url}/v2/images/{active}").status_code == 404
    reader = deployment.session("reader")
    assert reader.get(f"{deployment.url}/v2/images").status_code == 200
    assert reader.post(f"{deployment.url}/v2/images", json={"name": "x"}).status_code == 403
