"""Staging: data that waits on a node to be imported, and that nothing may lose sight of."""

import secrets

import pytest

from audit import assert_accounted, assert_stores_empty, rows, stored_files
from services import wait_until
from test_crashes import SIZE, begin_upload, create, download, send_quietly, status_of, upload

OCTETS = {"Content-Type": "application/octet-stream"}


@pytest.fixture(params=[(), ("fast", "slow")], ids=["one_store", "stores"])
def deployment(request, deployments):
    return deployments.start(auth="noauth", stores=request.param)


@pytest.fixture(scope="module")
def shared(shared_deployments):
    """With callers of several kinds."""
    options = {"api": {"DEFAULT": ["image_size_cap = 1MB", "worker_self_reference_url = http://node-1:9292"]}}
    return shared_deployments.start(options=options)


def stage(deployment, image_id, data, user="admin", api=None, **headers):
    return deployment.session(user).put(
        f"{(api or deployment.api).url}/v2/images/{image_id}/stage", data=data, headers={**OCTETS, **headers}, timeout=60
    )


def begin_stage(deployment, image_id, data, sent):
    return begin_upload(deployment, image_id, data, sent, path="stage", status="uploading")


def record(deployment, image_id, user="admin"):
    return deployment.session(user).get(f"{deployment.url}/v2/images/{image_id}").json()


def test_staged_data_waits(deployment):
    image_id = create(deployment)
    data = secrets.token_bytes(SIZE)
    answer = stage(deployment, image_id, data)
    assert answer.status_code == 204, answer.text
    assert answer.content == b""
    shown = record(deployment, image_id)
    assert (shown["status"], shown["size"]) == ("uploading", SIZE)
    assert [shown[name] for name in ("virtual_size", "checksum", "os_hash_algo", "os_hash_value")] == [None] * 4
    assert "stores" not in shown
    assert (deployment.staging / image_id).read_bytes() == data
    fetched = deployment.session().get(f"{deployment.url}/v2/images/{image_id}/file")
    assert (fetched.status_code, fetched.content) == (204, b"")
    for refused in (stage(deployment, image_id, b"again"), upload(deployment, image_id, b"again")):
        assert refused.status_code == 409
        assert "transition from uploading to" in refused.json()["message"]
    assert_accounted(deployment)
    assert deployment.session().delete(f"{deployment.url}/v2/images/{image_id}").status_code == 204
    assert_stores_empty(deployment, seconds=0)
    assert rows(deployment, "SELECT * FROM image_locations") == []


def test_formats_may_come_later(shared):
    made = shared.session().post(f"{shared.url}/v2/images", json={}).json()
    assert stage(shared, made["id"], b"").status_code == 204
    shown = record(shared, made["id"])
    assert (shown["status"], shown["size"], shown["disk_format"]) == ("uploading", 0, None)


def test_the_node_that_has_it_is_recorded_and_not_shown(shared):
    image_id = create(shared)
    assert stage(shared, image_id, b"here").status_code == 204
    assert not [name for name in record(shared, image_id) if name.startswith("os_glance")]
    found = rows(shared, f"SELECT value FROM image_properties WHERE image_id = '{image_id}'")
    assert found == [("http://node-1:9292",)]


@pytest.mark.parametrize(
    ("headers", "data", "status", "phrase"),
    [
        ({"Content-Type": "text/plain"}, b"x", 415, "Invalid content type text/plain"),
        ({"Content-Type": ""}, b"x", 415, "Invalid content type"),
        ({"x-openstack-image-size": "many"}, b"x", 400, "Invalid or missing image size"),
        ({"x-openstack-image-size": "3"}, b"four", 400, "Size exceeds: expected 3 bytes, got 4 bytes"),
        ({"x-openstack-image-size": "5"}, b"four", 400, "Size mismatch: expected 5 bytes, got 4 bytes"),
        ({}, b"x" * (1 << 20) + b"y", 413, "The incoming image is too large"),
        ({}, iter([b"x" * (1 << 20), b"y"]), 413, "The incoming image is too large"),
    ],
    ids=["type", "no_type", "size", "longer", "shorter", "cap", "cap_unknown"],
)
def test_what_is_refused_leaves_nothing(shared, headers, data, status, phrase):
    image_id = create(shared)
    answer = stage(shared, image_id, data, **headers)
    assert answer.status_code == status
    assert phrase in answer.json()["message"]
    assert record(shared, image_id)["status"] == "queued"
    assert record(shared, image_id)["size"] is None
    assert not [path for path in stored_files(shared) if image_id in path.name]
    assert stage(shared, image_id, b"now").status_code == 204


def test_who_may_stage(shared):
    session = shared.session("member")
    public = create(shared)
    shared.session().patch(
        f"{shared.url}/v2/images/{public}",
        data='[{"op": "replace", "path": "/visibility", "value": "public"}]',
        headers={"Content-Type": "application/openstack-images-v2.1-json-patch"},
    )
    own = session.post(f"{shared.url}/v2/images", json={}).json()["id"]
    assert stage(shared, own, b"x", user="reader").status_code == 403
    assert stage(shared, public, b"x", user="member").status_code == 403
    assert stage(shared, own, b"x", user="other").status_code == 404
    assert stage(shared, "no-image", b"x").status_code == 404
    assert stage(shared, own, b"x", user="member").status_code == 204


def test_a_site_without_glance_direct(deployments):
    options = {"api": {"DEFAULT": ["enabled_import_methods = [web-download]"]}}
    deployment = deployments.start(auth="noauth", options=options)
    image_id = create(deployment)
    answer = stage(deployment, image_id, b"x")
    assert answer.status_code == 404
    assert "'glance-direct' method is not available at this site." in answer.json()["message"]


def test_what_was_staged_by_other_means_is_not_overwritten(deployment):
    image_id = create(deployment)
    (deployment.staging / image_id).write_bytes(b"somebody's")
    answer = stage(deployment, image_id, b"mine")
    assert answer.status_code == 409
    assert "has data on staging" in answer.json()["message"]
    assert status_of(deployment, image_id) == "queued"
    assert (deployment.staging / image_id).read_bytes() == b"somebody's"


def test_api_killed_in_the_middle_of_staging(deployment):
    image_id = create(deployment)
    data = secrets.token_bytes(SIZE)
    with begin_stage(deployment, image_id, data, SIZE // 2):
        assert wait_until(lambda: stored_files(deployment)), "no bytes had reached the directory"
        deployment.api.kill()
    deployment.restart(deployment.api)
    assert wait_until(lambda: status_of(deployment, image_id) == "queued", seconds=30)
    assert_stores_empty(deployment)
    assert_accounted(deployment)
    assert stage(deployment, image_id, data).status_code == 204
    assert_accounted(deployment)


def test_both_killed_behind_the_end_lose_nothing(deployment):
    image_id = create(deployment)
    data = secrets.token_bytes(SIZE)
    assert stage(deployment, image_id, data).status_code == 204
    deployment.api.kill()
    deployment.registry.kill()
    deployment.restart(deployment.registry)
    deployment.restart(deployment.api)
    assert_accounted(deployment)
    assert status_of(deployment, image_id) == "uploading"
    assert (deployment.staging / image_id).read_bytes() == data


def test_a_client_that_goes_away_leaves_nothing(deployment):
    image_id = create(deployment)
    data = secrets.token_bytes(SIZE)
    begin_stage(deployment, image_id, data, SIZE // 2).close()
    assert wait_until(lambda: status_of(deployment, image_id) == "queued")
    assert_stores_empty(deployment)


def test_an_image_deleted_while_it_is_staged(deployment):
    image_id = create(deployment)
    data = secrets.token_bytes(SIZE)
    with begin_stage(deployment, image_id, data, SIZE // 2) as connection:
        assert deployment.session().delete(f"{deployment.url}/v2/images/{image_id}").status_code == 204
        send_quietly(connection, data[SIZE // 2 :])
        assert connection.answer(60).status in (0, 410)
    assert_stores_empty(deployment)
    assert_accounted(deployment)


def test_deleted_through_another_node_it_goes_from_the_one_that_has_it(deployments):
    """The other node's staging directory is elsewhere; the queue waits for the node whose it is."""
    deployment = deployments.start(auth="noauth")
    first = deployment.api
    staging = deployment.staging
    deployment.staging = deployment.directory / "staging-2"
    second = deployment.add_api()
    deployment.staging = staging
    image_id = create(deployment)
    assert stage(deployment, image_id, b"on the first", api=first).status_code == 204
    assert deployment.session().delete(f"{second.url}/v2/images/{image_id}").status_code == 204
    assert_stores_empty(deployment, seconds=40)
    assert wait_until(lambda: rows(deployment, "SELECT * FROM image_locations") == [])


def test_the_tasks_of_an_image(shared):
    """No request makes tasks yet: what is shown is what the registry has."""
    own = shared.session("member").post(f"{shared.url}/v2/images", json={}).json()["id"]
    url = f"{shared.url}/v2/images/{own}/tasks"
    answer = shared.session("member").get(url)
    assert (answer.status_code, answer.json()) == (200, {"tasks": []})
    hidden = shared.session("other").get(url)
    assert hidden.status_code == 404
    assert hidden.json()["message"] == "The resource could not be found."
    assert shared.session().get(f"{shared.url}/v2/images/nothing/tasks").status_code == 404
    assert shared.session().get(url, data="x").status_code == 400
    for method in ("POST", "PUT", "PATCH", "DELETE", "HEAD"):
        other = shared.session().request(method, url)
        assert other.status_code == 404
        assert "Allow" not in other.headers


def test_downloads_of_staged_images_are_empty_with_ranges_too(shared):
    image_id = create(shared)
    assert stage(shared, image_id, b"123456789").status_code == 204
    answer = shared.session().get(f"{shared.url}/v2/images/{image_id}/file", headers={"Range": "bytes=0-4"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert download(shared, image_id) == b""
