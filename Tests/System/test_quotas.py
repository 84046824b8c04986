"""What projects may use: exact however many ask at once, with two APIs and with two registries."""

import collections
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest
import requests

import tus
from audit import COUNTED, assert_accounted, stored_files, usage
from cluster import Cluster
from scripted_keystone import ScriptedKeystone
from services import wait_until
from test_crashes import begin_upload

BYTES = {"Content-Type": "application/octet-stream"}
DATA = bytes(range(250)) * 20
ROOM = 10
CLIENTS = 200
IMAGE = {"disk_format": "raw", "container_format": "bare"}
QUOTA = {"api": {"DEFAULT": [f"user_storage_quota = {ROOM * len(DATA)}B"]}}
MIB = 1 << 20


@pytest.fixture
def keystone():
    with ScriptedKeystone() as server:
        server.registered_limits = {
            "image_count_total": -1, "image_count_uploading": -1, "image_size_total": -1, "image_stage_total": -1
        }
        yield server


def unified(keystone):
    return {
        "api": {
            "DEFAULT": ["use_keystone_limits = true", "user_storage_quota = 1"],
            "keystone_authtoken": keystone.options(),
            "oslo_limit": keystone.limit_options(),
        }
    }


@pytest.fixture
def clusters():
    """Starts two registries and two APIs over a PostgreSQL of their own."""
    if os.geteuid() != 0 or not shutil.which("haproxy"):
        pytest.skip("PostgreSQL is started by root only, and the cluster has haproxy in front")
    started = []

    def start(options):
        started.append(Cluster(pathlib.Path(tempfile.mkdtemp(prefix="glance-")), options=options))
        return started[-1].start()

    yield start
    for cluster in started:
        cluster.stop()
        shutil.rmtree(cluster.directory)


def at_once(work, count=CLIENTS):
    """What `work` answers for each number, all of them at the same time."""
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(work, range(count)))


def make(session, url, **more):
    return session.post(f"{url}/v2/images", json={**IMAGE, **more}, timeout=120)


def upload(session, url, image, data, declares=True):
    body = data if declares else iter([data[:100], data[100:]])
    return session.put(f"{url}/v2/images/{image}/file", data=body, headers=BYTES, timeout=120)


def unexpected(answers):
    """What was answered how often."""
    return collections.Counter((answer.status_code, answer.text[-200:]) for answer in answers)


def storm_of_uploads(urls, session_for):
    """Two hundred uploads at once, of which each other one does not say how long it is; who wins has them."""
    session = session_for()
    images = [make(session, urls[0]).json()["id"] for _ in range(CLIENTS)]
    answers = at_once(
        lambda n: upload(session_for(), urls[n % len(urls)], images[n], DATA, declares=n % 4 < 2)
    )
    counts = collections.Counter(answer.status_code for answer in answers)
    assert counts == {204: ROOM, 413: CLIENTS - ROOM}, unexpected(answers)
    refusals = [answer.text for answer in answers if answer.status_code == 413]
    assert all("Image exceeds the storage quota" in text for text in refusals), refusals[0]
    shown = [session.get(f"{urls[0]}/v2/images/{image}", timeout=60).json() for image in images]
    assert collections.Counter(image["status"] for image in shown) == {"active": ROOM, "queued": CLIENTS - ROOM}
    # Full is full, and what goes makes room.
    waiting = next(image["id"] for image in shown if image["status"] == "queued")
    assert upload(session, urls[0], waiting, b"x").status_code == 413
    gone = next(image["id"] for image in shown if image["status"] == "active")
    assert session.delete(f"{urls[0]}/v2/images/{gone}", timeout=60).status_code == 204
    assert upload(session, urls[-1], waiting, DATA, declares=False).status_code == 204


def storm_of_creations(urls, session_for):
    answers = at_once(lambda n: make(session_for(), urls[n % len(urls)]))
    counts = collections.Counter(answer.status_code for answer in answers)
    assert counts == {201: ROOM, 413: CLIENTS - ROOM}, unexpected(answers)
    refusal = next(answer for answer in answers if answer.status_code == 413)
    assert "image_count_total is over limit of 10 due to current usage 10 and delta 1" in refusal.text
    listed = session_for().get(f"{urls[0]}/v2/images?limit=1000", timeout=60).json()["images"]
    assert len(listed) == ROOM


def test_ten_of_two_hundred_uploads_find_room_through_two_apis(deployments):
    deployment = deployments.start(auth="trusted_headers", options=QUOTA)
    urls = [deployment.url, deployment.add_api().url]
    storm_of_uploads(urls, lambda: deployment.session("member"))
    assert wait_until(lambda: len(stored_files(deployment)) == ROOM)
    assert_accounted(deployment)


def test_ten_of_two_hundred_uploads_find_room_through_two_registries(clusters):
    cluster = clusters(QUOTA)
    storm_of_uploads([api.url for api in cluster.apis], cluster.session)
    assert_accounted(cluster)


def test_ten_of_two_hundred_creations_find_room_through_two_apis(deployments, keystone):
    keystone.project_limits = {("demo", "image_count_total"): ROOM}
    deployment = deployments.start(auth="trusted_headers", options=unified(keystone))
    storm_of_creations([deployment.url, deployment.add_api().url], lambda: deployment.session("member"))
    assert_accounted(deployment)
    # Others have limits of their own.
    assert make(deployment.session("other"), deployment.url).status_code == 201


def test_ten_of_two_hundred_creations_find_room_through_two_registries(clusters, keystone):
    keystone.registered_limits["image_count_total"] = ROOM
    cluster = clusters(unified(keystone))
    storm_of_creations([api.url for api in cluster.apis], cluster.session)
    assert_accounted(cluster)


@pytest.mark.parametrize("declares", [True, False])
def test_a_quota_counts_bytes(deployments, declares):
    options = {"api": {"DEFAULT": ["user_storage_quota = 3MB"]}}
    deployment = deployments.start(auth="trusted_headers", options=options)
    session = deployment.session("member")
    first, second = (make(session, deployment.url).json()["id"] for _ in range(2))
    assert upload(session, deployment.url, first, bytes(2 * MIB), declares).status_code == 204
    refused = upload(session, deployment.url, second, bytes(MIB + 1), declares)
    assert refused.status_code == 413 and "Image exceeds the storage quota: The size of the data" in refused.text
    assert session.get(f"{deployment.url}/v2/images/{second}").json()["status"] == "queued"
    assert upload(session, deployment.url, second, bytes(MIB), declares).status_code == 204
    # The quota is the owner's, whoever sends the data.
    other = make(deployment.session("other"), deployment.url).json()["id"]
    assert upload(deployment.session("other"), deployment.url, other, bytes(3 * MIB), declares).status_code == 204
    assert session.get(f"{deployment.url}/v2/info/usage").json() == {"usage": {}}


@pytest.mark.parametrize("path, status", [("file", "saving"), ("stage", "uploading")])
def test_who_dies_gives_the_room_back(deployments, path, status):
    options = {"api": {"DEFAULT": ["user_storage_quota = 8MB"]}}
    deployment = deployments.start(auth="noauth", options=options)
    image, other = (make(deployment.session(), deployment.url).json()["id"] for _ in range(2))
    taken = (2, 1, 6 * MIB, 0) if path == "file" else (2, 1, 0, 6 * MIB)
    with begin_upload(deployment, image, bytes(6 * MIB), MIB, path=path, status=status):
        assert usage(deployment, COUNTED) == {"admin": taken}
        deployment.registry.kill()
        deployment.restart(deployment.registry)
        assert usage(deployment, COUNTED) == {"admin": taken}
        expected = 413 if path == "file" else 204
        assert upload(deployment.session(), deployment.url, other, bytes(6 * MIB)).status_code == expected
        deployment.api.kill()
    deployment.restart(deployment.api)
    assert wait_until(lambda: usage(deployment, COUNTED)["admin"][1] == 0)
    if path == "file":
        assert upload(deployment.session(), deployment.url, other, bytes(6 * MIB)).status_code == 204
    assert usage(deployment, COUNTED) == {"admin": (2, 0, 6 * MIB, 0)}
    assert_accounted(deployment)


def test_a_refused_deletion_is_counted_again(deployments):
    """A store that does not give the data up gives the record back, and with it what it takes up."""
    options = {"api": {"DEFAULT": ["user_storage_quota = 3MB"]}}
    deployment = deployments.start(auth="noauth", options=options)
    session = deployment.session()
    image, other = (make(session, deployment.url).json()["id"] for _ in range(2))
    assert upload(session, deployment.url, image, bytes(2 * MIB)).status_code == 204
    stored = deployment.stores["default"] / image
    if os.geteuid() != 0 or subprocess.run(["chattr", "+i", stored], capture_output=True).returncode:
        pytest.skip("a file that nobody can delete takes root, and a file system that knows chattr +i")
    try:
        refused = session.delete(f"{deployment.url}/v2/images/{image}", timeout=60)
        assert refused.status_code == 403, refused.text
    finally:
        subprocess.run(["chattr", "-i", stored], check=True)
    assert usage(deployment, COUNTED) == {"admin": (2, 0, 2 * MIB, 0)}
    assert upload(session, deployment.url, other, bytes(2 * MIB)).status_code == 413
    assert session.delete(f"{deployment.url}/v2/images/{image}", timeout=60).status_code == 204
    assert upload(session, deployment.url, other, bytes(2 * MIB)).status_code == 204
    assert_accounted(deployment)


@pytest.mark.parametrize("quota", [None, "1GB"])
def test_what_requests_cost_with_a_quota(deployments, quota):
    options = {"api": {"DEFAULT": [f"user_storage_quota = {quota}"]}} if quota else None
    deployment = deployments.start(auth="trusted_headers", options=options)
    session = deployment.session("member")

    def exchanges():
        row = re.compile(r'^registry_operation\w*_count\{.*operation="((?:images|uploads|usage)\.\w+)".*\} (\S+)$', re.M)
        counts = row.findall(deployment.registry.get("/metrics"))
        beside = ("uploads.renew", "uploads.processes", "uploads.release")
        ours = [(name, count) for name, count in counts if name not in beside]
        return collections.Counter({name: int(float(count)) for name, count in ours})

    def costs(do, *operations):
        before = exchanges()
        answer = do()
        assert answer.ok, answer.text
        assert exchanges() - before == collections.Counter(operations)
        return answer

    declared, unknown = (
        costs(lambda: make(session, deployment.url), "images.create").json()["id"] for _ in range(2)
    )
    transfer = ["images.show", "uploads.begin", "uploads.finish"]
    costs(lambda: upload(session, deployment.url, declared, bytes(20 * MIB)), *transfer)
    # Without a size room is taken in steps that double, up to 64 MiB: 1 MiB or less, 2 to 4, and so on.
    before = exchanges()
    answer = session.put(
        f"{deployment.url}/v2/images/{unknown}/file", data=iter([bytes(MIB)] * 20), headers=BYTES, timeout=120
    )
    assert answer.status_code == 204, answer.text
    asked = exchanges() - before
    steps = asked.pop("uploads.reserve", 0)
    assert asked == collections.Counter(transfer)
    assert 1 <= steps <= 8 if quota else steps == 0, steps
    costs(lambda: session.get(f"{deployment.url}/v2/images"), "images.list")
    costs(lambda: session.get(f"{deployment.url}/v2/info/usage"))


def test_unified_limits(deployments, keystone):
    deployment = deployments.start(auth="trusted_headers", options=unified(keystone))
    session = deployment.session("member")

    def limit(name, value):
        keystone.project_limits[("demo", name)] = value

    def usage(name):
        entry = session.get(f"{deployment.url}/v2/info/usage").json()["usage"][name]
        return entry["usage"], entry["limit"]

    def stage(image, data):
        url = f"{deployment.url}/v2/images/{image}/stage"
        return session.put(url, data=data, headers=BYTES, timeout=60)

    images = [make(session, deployment.url).json()["id"] for _ in range(6)]
    limit("image_size_total", 5)
    assert usage("image_size_total") == (0, 5) and usage("image_count_total") == (6, -1)
    assert upload(session, deployment.url, images[0], bytes(3 * MIB)).status_code == 204
    refused = upload(session, deployment.url, images[1], bytes(3 * MIB))
    assert refused.status_code == 413
    assert "image_size_total is over limit of 5 due to current usage 3 and delta 3" in refused.text
    # Of unknown size it may complete, and is the last.
    assert upload(session, deployment.url, images[1], bytes(3 * MIB), declares=False).status_code == 204
    assert usage("image_size_total") == (6, 5)
    assert upload(session, deployment.url, images[2], bytes(10)).status_code == 413
    limit("image_size_total", 8)
    parts = {**tus.VERSION, "Upload-Concat": "partial", "Upload-Length": str(MIB)}
    whole = f"{deployment.url}/v2/images/{make(session, deployment.url).json()['id']}"
    created = [session.post(f"{whole}/uploads", headers=parts, timeout=30).status_code for _ in range(3)]
    # Each part counts from when it is announced.
    assert created == [201, 201, 413] and usage("image_size_total") == (8, 8)
    assert session.delete(whole, timeout=30).status_code == 204
    assert usage("image_size_total") == (6, 8)
    limit("image_size_total", -1)
    assert upload(session, deployment.url, images[2], bytes(10)).status_code == 204
    limit("image_stage_total", 2)
    assert stage(images[3], bytes(2 * MIB)).status_code == 204
    refused = stage(images[4], bytes(MIB))
    assert refused.status_code == 413
    assert "image_stage_total is over limit of 2 due to current usage 2 and delta 1" in refused.text
    assert usage("image_stage_total") == (2, 2) and usage("image_count_uploading") == (1, -1)
    limit("image_count_uploading", 1)
    refused = upload(session, deployment.url, images[4], bytes(10))
    assert refused.status_code == 413
    assert "image_count_uploading is over limit of 1 due to current usage 2 and delta 0" in refused.text
    assert session.get(f"{deployment.url}/v2/images/{images[4]}").json()["status"] == "queued"
    # What nobody has registered is 0.
    del keystone.registered_limits["image_count_total"]
    refused = make(session, deployment.url)
    assert refused.status_code == 413
    assert "image_count_total is over limit of 0 due to current usage 6 and delta 1" in refused.text


def test_without_keystone_nothing_is_decided_and_the_client_told_to_come_back(deployments, keystone):
    options = unified(keystone)
    options["api"]["keystone_authtoken"].append("http_connect_timeout = 5")
    deployment = deployments.start(auth="trusted_headers", options=options)
    session = deployment.session("member")
    image = make(session, deployment.url).json()["id"]
    keystone.fault = "error"
    answer = make(session, deployment.url)
    assert answer.status_code == 503 and "Keystone did not tell the limits" in answer.text
    assert answer.headers["Retry-After"] and "127.0.0.1" not in answer.text
    keystone.stop()
    assert upload(session, deployment.url, image, b"x").status_code == 503
    assert session.get(f"{deployment.url}/v2/info/usage").status_code == 503
    # What needs no limits goes on.
    assert session.get(f"{deployment.url}/v2/images/{image}").status_code == 200
    keystone.fault = None
    keystone.listen()
    assert wait_until(lambda: upload(session, deployment.url, image, b"x").status_code == 204)


def test_limits_need_to_know_whose_they_are(deployments, keystone):
    options = unified(keystone)
    del options["api"]["oslo_limit"]
    deployment = deployments.prepare(auth="trusted_headers", options=options)
    deployment.write_secrets()
    deployment.write_registry_configuration()
    deployment.write_api_configuration(deployment.api)
    deployment.api.start()
    assert deployment.api.process.wait(30) != 0
    assert "[oslo_limit] endpoint_id is not set" in deployment.api.log
