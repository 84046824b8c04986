"""Several stores and directories: where data goes, what its locations say, and removing one of its copies."""

import contextlib
import json
import os
import stat
import subprocess

import pytest

from audit import assert_accounted, rows
from located_images import DATA, Images, options, refusal, start
from services import wait_until
from web_source import WebSource

OCTETS = {"Content-Type": "application/octet-stream"}


@pytest.fixture(scope="module")
def source():
    source = WebSource()
    source.add("/data", DATA)
    yield source
    source.close()


def start_with_web(deployments):
    several = options(default=["enabled_backends = fast:file, slow:file, web:http"], web=["weight = 5"])
    return start(deployments, stores=("fast", "slow"), options=several)


@pytest.fixture(scope="module")
def deployment(shared_deployments):
    return start_with_web(shared_deployments)


@pytest.fixture
def member(deployment):
    return Images(deployment)


@pytest.fixture
def admin(deployment):
    return Images(deployment, "admin")


def upload(member, **headers):
    image_id = member.create()
    answer = member.request("PUT", f"/{image_id}/file", data=DATA, headers={**OCTETS, **headers})
    assert answer.status_code == 204, answer.text
    return image_id


def copied(member, source):
    """An image whose data is in the store fast, and on the web."""
    image_id = upload(member)
    assert member.add(image_id, source.url + "/data").status_code == 200
    return image_id


def remove(images, store, image_id):
    base = images.base.removesuffix("/images")
    return images.session.delete(f"{base}/stores/{store}/{image_id}", timeout=60)


# --- removing a copy --------------------------------------------------------------------------------------------------


def test_a_copy_is_removed_and_the_other_serves(deployment, member, admin, source):
    image_id = copied(member, source)
    assert member.show(image_id)["stores"] == "web,fast"
    answer = remove(admin, "fast", image_id)
    assert answer.status_code == 204 and answer.content == b""
    assert not (deployment.stores["fast"] / image_id).exists()
    record = member.show(image_id)
    assert record["stores"] == "web" and [entry["url"] for entry in record["locations"]] == [source.url + "/data"]
    assert member.request("GET", f"/{image_id}/file").content == DATA
    refusal(remove(admin, "web", image_id), 403, "Cannot delete image data from the only store containing it.")
    assert rows(deployment, "SELECT id FROM image_locations WHERE state = 'deleting'") == []


def test_what_is_on_the_web_is_let_go_of(member, admin, source):
    image_id = copied(member, source)
    assert remove(admin, "web", image_id).status_code == 204
    assert member.show(image_id)["stores"] == "fast"
    assert source.url + "/data" not in json.dumps(member.show(image_id))
    assert member.request("GET", f"/{image_id}/file").content == DATA


def test_refusals_come_in_order(deployment, member, admin, source):
    image_id, queued, single = copied(member, source), member.create(), upload(member)
    absent = "00000000-0000-4000-8000-00000000dead"
    for store in ("nowhere", "os_glance_staging_store"):
        refusal(remove(member, store, absent), 409, f"The selected store {store} is not available on this node.")
    for name in (absent, "no-id"):
        refusal(remove(admin, "fast", name), 404, f"Failed to find image {name}")
    refusal(remove(member, "slow", queued), 403, "")
    refusal(remove(admin, "slow", queued), 409, "if image status is not 'active'")
    refusal(remove(admin, "slow", single), 403, "Cannot delete image data from the only store containing it.")
    refusal(remove(admin, "slow", image_id), 404, f"Image {image_id} is not stored in store slow.")
    assert member.show(image_id)["stores"] == "web,fast"
    # Who may not see the image is told nothing of it.
    refusal(remove(Images(deployment, "other"), "fast", image_id), 404, "Failed to find image")


def test_a_copy_that_cannot_be_reached_goes_later(deployments, source):
    deployment = start_with_web(deployments)
    image_id = copied(Images(deployment), source)
    folder, away = deployment.stores["fast"], deployment.directory / "away"
    folder.rename(away)
    assert remove(Images(deployment, "admin"), "fast", image_id).status_code == 204
    assert Images(deployment).show(image_id)["stores"] == "web"
    assert (away / image_id).exists()
    away.rename(folder)
    assert wait_until(lambda: not (folder / image_id).exists(), 45), "the queued deletion is not carried out"
    assert Images(deployment).request("GET", f"/{image_id}/file").content == DATA


@contextlib.contextmanager
def read_only(folder, at):
    """What is in `folder`, seen `at` another one in which nothing can be changed."""
    at.mkdir()
    command = ["mount", "-o", "bind,ro", folder, at]
    made = subprocess.run(command, capture_output=True, text=True)
    if made.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {made.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", at], check=True)


def test_a_copy_that_was_removed_before_keeps_no_image_from_being_deleted(deployments, source):
    deployment = start_with_web(deployments)
    member, admin = Images(deployment), Images(deployment, "admin")
    image_id, whole = copied(member, source), copied(member, source)
    folder, away = deployment.stores["fast"], deployment.directory / "away"
    folder.rename(away)
    assert remove(admin, "fast", image_id).status_code == 204
    with read_only(away, at=folder):
        refusal(member.request("DELETE", f"/{whole}"), 403, "You cannot delete file")
        assert member.show(whole)["stores"] == "web,fast"
        assert member.request("DELETE", f"/{image_id}").status_code == 204
        assert member.request("GET", f"/{image_id}").status_code == 404
        assert (folder / image_id).exists()
    queued = f"SELECT state FROM image_locations WHERE image_id = '{image_id}' AND store = 'fast'"
    assert rows(deployment, queued) == [("deleting",)]


def test_without_several_stores_there_is_none_to_remove_from(shared_deployments):
    deployment = start(shared_deployments)
    image_id = upload(Images(deployment))
    refusal(remove(Images(deployment, "admin"), "file", image_id), 404, "Multi backend is not supported at this site.")


# --- directories ------------------------------------------------------------------------------------------------------


def test_directories_modes_and_what_locations_tell(deployments):
    deployment = deployments.prepare(auth="trusted_headers")
    full, preferred, spare = (deployment.directory / name for name in ("full", "preferred", "spare"))
    mounts = deployment.directory / "mounts.json"
    entries = [{"id": "nfs-1", "mountpoint": str(preferred), "share": {"version": 4}}]
    mounts.write_text(json.dumps([{"id": "elsewhere", "mountpoint": "/srv/elsewhere"}, *entries]))
    deployment.options = options(
        glance_store=[
            "filesystem_store_datadir =",
            f"filesystem_store_datadirs = {spare}",
            f"filesystem_store_datadirs = {preferred}:100",
            f"filesystem_store_datadirs = {full}:50",
            "filesystem_store_file_perm = 640",
            "filesystem_thin_provisioning = true",
            f"filesystem_store_metadata_file = {mounts}",
        ]
    )
    deployment.start()
    member = Images(deployment)
    image_id = member.create()
    data = DATA + bytes(8 << 20) + DATA
    answer = member.request("PUT", f"/{image_id}/file", data=data, headers=OCTETS)
    assert answer.status_code == 204, answer.text
    path = preferred / image_id
    status = path.stat()
    assert stat.S_IMODE(status.st_mode) == 0o640
    assert status.st_size == len(data) and status.st_blocks * 512 < len(data) - (7 << 20)
    assert stat.S_IMODE(preferred.stat().st_mode) & 0o010
    location = member.show(image_id)["locations"][0]
    assert location == {"url": f"file://{path}", "metadata": entries[0]}
    assert member.request("GET", f"/{image_id}/file").content == data
    assert member.request("DELETE", f"/{image_id}").status_code == 204
    assert not path.exists() and not os.listdir(spare / ".uploads")


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("{", "filesystem_store_metadata_file cannot be used: at byte"),
        ('[{"id": "a"}]', "with the texts id and mountpoint"),
        ('[{"id": 1, "mountpoint": "/a"}]', "with the texts id and mountpoint"),
        ("7", "with the texts id and mountpoint"),
        (None, "cannot be opened"),
    ],
)
def test_a_metadata_file_that_cannot_be_used_stops_the_start(deployments, text, phrase):
    deployment = deployments.prepare(auth="trusted_headers")
    path = deployment.directory / "mounts.json"
    if text is not None:
        path.write_text(text)
    deployment.options = options(glance_store=[f"filesystem_store_metadata_file = {path}"])
    with pytest.raises(AssertionError):
        deployment.start()
    assert phrase in deployment.api.log, deployment.api.log[-500:]


def test_room_is_looked_for_before_the_data_comes(deployments):
    deployment = deployments.start(auth="trusted_headers")
    member = Images(deployment)
    image_id = member.create()
    headers = {**OCTETS, "x-openstack-image-size": str(1 << 40)}
    answer = member.request("PUT", f"/{image_id}/file", data=b"little", headers=headers)
    refusal(answer, 413, "Image storage media is full")
    assert member.show(image_id)["status"] == "queued"
    assert_accounted(deployment)
