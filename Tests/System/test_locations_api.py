"""Where data is: `/v2/images/{id}/locations`, with which services tell where they have put the data of an image."""

import hashlib
import threading
import uuid

import pytest

from audit import assert_becomes, rows
from located_images import DATA, Images, admin, deployment, held, member, options, refusal, slow, source, start
from web_source import WebSource


def test_digests_are_filled_in_behind_an_added_location(deployment, member, source):
    image_id = member.create()
    answer = member.post(image_id, source.url + "/data")
    assert (answer.status_code, answer.content) == (202, b"")
    record = member.wait(image_id, status="active", checksum=hashlib.md5(DATA).hexdigest())
    assert record["os_hash_algo"] == "sha512"
    assert record["os_hash_value"] == hashlib.sha512(DATA).hexdigest()
    assert record["size"] == len(DATA)
    service = Images(deployment, "service")
    admin = Images(deployment, "admin")
    expected = [{"url": source.url + "/data", "metadata": {}}]
    assert admin.request("GET", f"/{image_id}/locations").json() == expected
    assert admin.request("GET", f"/{admin.create()}/locations").json() == []
    assert member.request("GET", f"/{image_id}/locations").status_code == 403
    assert admin.request("GET", f"/{uuid.uuid4()}/locations").status_code == 404
    assert admin.request("PUT", f"/{image_id}/locations").headers["Allow"] == "POST"
    admin.patch(image_id, {"op": "replace", "path": "/visibility", "value": "public"})
    assert service.request("GET", f"/{image_id}/locations").json() == expected


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256", "sha512"])
def test_data_that_is_what_it_was_said_to_be_becomes_active(member, source, algorithm):
    value = hashlib.new(algorithm, DATA).hexdigest()
    image_id = member.create()
    assert member.post(image_id, source.url + "/data", algorithm, value).status_code == 202
    record = member.wait(image_id, status="active")
    assert (record["os_hash_algo"], record["os_hash_value"]) == (algorithm, value)
    assert record["checksum"] == hashlib.md5(DATA).hexdigest()
    assert record["locations"] == [{"url": source.url + "/data", "metadata": {}}]


def test_data_that_is_not_what_it_was_said_to_be_is_not_served(deployment, member, source):
    image_id = member.create()
    assert member.post(image_id, source.url + "/data", "sha256", "00" * 32).status_code == 202
    record = member.wait(image_id, status="queued", locations=[{"url": source.url + "/data", "metadata": {}}])
    assert (record["size"], record["checksum"], record["os_hash_value"]) == (None, None, None)
    answer = member.request("GET", f"/{image_id}/file")
    assert (answer.status_code, answer.content) == (204, b"")
    # Whatever comes next takes its place.
    assert member.post(image_id, source.url + "/other").status_code == 202
    record = member.wait(image_id, status="active", locations=[{"url": source.url + "/other", "metadata": {}}])


def test_an_upload_takes_the_place_of_data_that_was_refused(deployment, member, source):
    uploaded, patched = member.create(), member.create()
    for image_id in (uploaded, patched):
        assert member.post(image_id, source.url + "/data", "sha256", "00" * 32).status_code == 202
        member.wait(image_id, status="queued", locations=[{"url": source.url + "/data", "metadata": {}}])
    headers = {"Content-Type": "application/octet-stream"}
    assert member.request("PUT", f"/{uploaded}/file", data=b"mine", headers=headers).status_code == 204
    assert member.request("GET", f"/{uploaded}/file").content == b"mine"
    assert len(member.show(uploaded)["locations"]) == 1
    assert member.add(patched, source.url + "/same").json()["locations"] == [
        {"url": source.url + "/same", "metadata": {}}
    ]


def test_while_data_is_compared_the_image_is_importing_and_may_be_deleted(member, source):
    is_over = threading.Event()
    source.behaviour["/slow"] = held(source, lambda: is_over.wait(60))
    image_id = member.create()
    assert member.post(image_id, source.url + "/slow", "sha256", hashlib.sha256(DATA).hexdigest()).status_code == 202
    assert member.show(image_id)["status"] == "importing"
    refusal(member.post(image_id, source.url + "/data"), 409, "if image status is importing.")
    assert member.request("GET", f"/{image_id}/file").status_code == 204
    assert member.request("DELETE", f"/{image_id}").status_code == 204
    assert member.request("GET", f"/{image_id}").status_code == 404
    is_over.set()


def test_refusals_of_the_newer_api(deployment, member, source):
    image_id = member.create()
    phrase = "Provided object does not match schema 'location'"
    for body in ({}, {"url": 1}, {"url": source.url, "validation_data": {"os_hash_algo": "sha256"}}):
        refusal(member.request("POST", f"/{image_id}/locations", json=body), 400, phrase)
    refusal(member.post(image_id, source.url + "/data", "sha256", "zz"), 400, "is not a valid hexadecimal value")
    refusal(
        member.post(image_id, source.url + "/data", "sha256", "00"),
        400,
        "is not the correct size for (sha256) (should be (32) bytes)",
    )
    refusal(member.post(image_id, "rbd://pool/image"), 403, "http store must be enabled to use location API by normal user.")
    refusal(member.post(image_id, source.url + "/absent"), 400, "Invalid location")
    assert member.post(str(uuid.uuid4()), source.url + "/data").status_code == 404
    assert Images(deployment, "other").post(image_id, source.url + "/data").status_code == 404
    assert Images(deployment, "reader").post(image_id, source.url + "/data").status_code == 403
    assert member.show(image_id)["status"] == "queued"


def test_the_status_is_looked_at_before_policy(deployment, member, admin, source):
    image_id = member.create()
    assert member.add(image_id, source.url + "/data").status_code == 200
    admin.patch(image_id, {"op": "replace", "path": "/visibility", "value": "public"})
    for user in ("member", "reader", "other", "service", "admin"):
        answer = Images(deployment, user).post(image_id, source.url + "/same")
        refusal(answer, 409, "It's not allowed to add locations if image status is active.")


def test_data_on_the_web_is_for_everybody_at_any_time(deployment, member, source):
    source.behaviour["/shared"] = slow(source, 2)
    url, digest = source.url + "/shared", hashlib.sha256(DATA).hexdigest()
    first, second, third = (member.create() for _ in range(3))
    # While the data is compared for one image, another names it, and a third that did is deleted.
    for image_id in (first, second, third):
        assert member.post(image_id, url, "sha256", digest).status_code == 202, image_id
    assert member.request("DELETE", f"/{third}").status_code == 204
    assert rows(deployment, f"SELECT count(*) FROM image_locations WHERE image_id = '{third}'") == [(0,)]
    member.wait(first, status="active")
    assert member.request("DELETE", f"/{first}").status_code == 204
    assert member.add(member.create(), url).status_code == 200
    member.wait(second, status="active")
    assert rows(deployment, "SELECT count(*) FROM image_locations WHERE state = 'deleting'") == [(0,)]


def test_digests_are_believed_where_nobody_reads_the_data(deployments, source):
    deployment = start(deployments, options=options(default=["do_secure_hash = false"]))
    member = Images(deployment)
    image_id = member.create()
    assert member.post(image_id, source.url + "/data", "sha256", "ab" * 32).status_code == 202
    record = member.show(image_id)
    assert (record["status"], record["os_hash_value"], record["checksum"]) == ("active", "ab" * 32, None)
    other = member.create()
    seen = len(source.requests)
    assert member.post(other, source.url + "/data").status_code == 202
    assert member.show(other)["status"] == "active" and member.show(other)["os_hash_value"] is None
    assert [command for command, _, _ in source.requests[seen:]] == ["HEAD"]


def test_an_api_that_dies_while_it_compares_leaves_a_queued_image(deployments, source):
    source.behaviour["/stuck"] = slow(source, 60)
    deployment = start(deployments)
    member = Images(deployment)
    image_id = member.create()
    digest = hashlib.sha256(DATA).hexdigest()
    assert member.post(image_id, source.url + "/stuck", "sha256", digest).status_code == 202
    assert member.show(image_id)["status"] == "importing"
    deployment.api.kill()
    deployment.restart(deployment.api)
    record = member.wait(image_id, status="queued")
    assert record["locations"] == []
    assert_becomes([(0,)], lambda: rows(deployment, "SELECT count(*) FROM image_locations"), 60)
    assert member.post(image_id, source.url + "/data", "sha256", digest).status_code == 202
    member.wait(image_id, status="active")
