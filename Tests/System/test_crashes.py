"""Processes that die or stand still at the worst moment: nothing may be lost, and nothing left that no row accounts for."""

import random
import secrets
import signal
import subprocess
import threading
import time

import pytest

from audit import assert_accounted, assert_stores_empty, stored_files
from services import wait_until
from wire import Connection, head

SIZE = 8 * 1024 * 1024


@pytest.fixture(params=[(), ("fast", "slow")], ids=["one_store", "stores"])
def deployment(request, deployments):
    return deployments.start(auth="noauth", stores=request.param)


def create(deployment):
    body = {"disk_format": "raw", "container_format": "bare"}
    answer = deployment.session().post(f"{deployment.url}/v2/images", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def status_of(deployment, image_id, api=None):
    answer = deployment.session().get(f"{(api or deployment.api).url}/v2/images/{image_id}", timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()["status"]


def upload(deployment, image_id, data, api=None):
    return deployment.session().put(
        f"{(api or deployment.api).url}/v2/images/{image_id}/file",
        data=data,
        headers={"Content-Type": "application/octet-stream"},
        timeout=60,
    )


def download(deployment, image_id, api=None):
    return deployment.session().get(f"{(api or deployment.api).url}/v2/images/{image_id}/file", timeout=60).content


def begin_upload(deployment, image_id, data, sent, api=None, path="file", status="saving"):
    """A connection on which `sent` bytes of the upload have gone out, with the image in `status`."""
    api = api or deployment.api
    connection = Connection(api.port, timeout=60)
    headers = {"Content-Type": "application/octet-stream", "Content-Length": len(data)}
    connection.send(head("PUT", f"/v2/images/{image_id}/{path}", headers))
    connection.send(data[:sent])
    assert wait_until(lambda: status_of(deployment, image_id, api) == status), "the upload did not begin"
    return connection


def assert_upload_works(deployment, image_id, api=None):
    """The upload can be repeated, and what is served afterwards are its bytes."""
    data = secrets.token_bytes(SIZE // 2)
    answer = upload(deployment, image_id, data, api)
    assert answer.status_code == 204, answer.text
    assert status_of(deployment, image_id, api) == "active"
    assert download(deployment, image_id, api) == data


def test_api_killed_in_the_middle_of_an_upload(deployment):
    image_id = create(deployment)
    data = secrets.token_bytes(SIZE)
    with begin_upload(deployment, image_id, data, SIZE // 2):
        assert wait_until(lambda: stored_files(deployment)), "no bytes had reached the store"
        deployment.api.kill()
    # Its own uploads, the restarted API gives up at once: the lease would have lasted a minute.
    deployment.restart(deployment.api)
    assert wait_until(lambda: status_of(deployment, image_id) == "queued", seconds=30)
    assert_stores_empty(deployment)
    assert_upload_works(deployment, image_id)
    assert_accounted(deployment)


def test_another_api_that_starts_leaves_running_uploads_alone(deployment):
    image_id = create(deployment)
    data = secrets.token_bytes(SIZE)
    with begin_upload(deployment, image_id, data, SIZE // 2) as connection:
        second = deployment.add_api()
        assert status_of(deployment, image_id, second) == "saving"
        connection.send(data[SIZE // 2 :])
        assert connection.answer(60).status == 204
    assert download(deployment, image_id, second) == data
    assert_accounted(deployment)


def test_registry_killed_before_it_hears_of_the_end(deployment):
    """The last byte arrives while the registry stands still; it dies without having recorded the end."""
    image_id = create(deployment)
    data = secrets.token_bytes(SIZE)
    with begin_upload(deployment, image_id, data, SIZE - 1) as connection:
        deployment.registry.send(signal.SIGSTOP)
        connection.send(data[-1:])
        time.sleep(1)  # the API has published the bytes by now, and waits for the registry
        deployment.registry.kill()
        deployment.restart(deployment.registry)
        answer = connection.answer(60)
    assert_all_or_nothing(deployment, image_id, data, answer.status)


def test_registry_killed_at_any_moment_around_the_end(deployments):
    """Before, while and after the end is recorded: the moments are random, and printed when one of them fails."""
    seed = secrets.randbits(32)
    moments = random.Random(seed)
    deployment = deployments.start(auth="noauth")
    for attempt in range(6):
        image_id = create(deployment)
        data = secrets.token_bytes(256 * 1024)
        delay = moments.uniform(0, 0.03)
        print(f"seed {seed}, attempt {attempt}: the registry dies {delay * 1000:.1f} ms after the last byte")
        with begin_upload(deployment, image_id, data, len(data) - 1) as connection:
            connection.send(data[-1:])
            time.sleep(delay)
            deployment.registry.kill()
            deployment.restart(deployment.registry)
            answer = connection.answer(60)
        assert_all_or_nothing(deployment, image_id, data, answer.status)


def assert_all_or_nothing(deployment, image_id, data, status):
    assert status in (0, 204) or status >= 500, status
    assert wait_until(lambda: status_of(deployment, image_id) in ("active", "queued"), seconds=70), "stays saving"
    if status == 204:
        assert status_of(deployment, image_id) == "active", "what was acknowledged must not be lost"
    if status_of(deployment, image_id) == "active":
        assert download(deployment, image_id) == data
    else:
        assert download(deployment, image_id) == b""
        assert_upload_works(deployment, image_id)
    assert_accounted(deployment)


def test_a_writer_that_stands_still_beyond_its_lease_harms_nothing(deployments):
    deployment = deployments.start(auth="noauth", lease_seconds=3)
    second_api = deployment.add_api()
    image_id = create(deployment)
    late, winner = secrets.token_bytes(SIZE), secrets.token_bytes(SIZE)
    with begin_upload(deployment, image_id, late, SIZE // 2) as connection:
        deployment.api.send(signal.SIGSTOP)
        try:
            assert wait_until(
                lambda: upload(deployment, image_id, winner, second_api).status_code == 204, seconds=30, every=0.5
            ), "the image stayed locked beyond its lease"
        finally:
            deployment.api.send(signal.SIGCONT)
        sender = threading.Thread(target=send_quietly, args=(connection, late[SIZE // 2 :]))
        sender.start()
        answer = connection.answer(60)
        sender.join(60)
        assert answer.status != 204
        assert answer.status == 0 or 400 <= answer.status < 600
    assert status_of(deployment, image_id, second_api) == "active"
    assert download(deployment, image_id, second_api) == winner
    assert download(deployment, image_id) == winner
    assert_accounted(deployment)
    assert download(deployment, image_id) == winner


def send_quietly(connection, data):
    """The other side may well hang up: it has lost its lease."""
    try:
        connection.send(data)
    except OSError:
        pass


def test_an_api_that_dies_after_the_end_loses_nothing(deployment):
    image_id = create(deployment)
    data = secrets.token_bytes(SIZE)
    assert upload(deployment, image_id, data).status_code == 204
    deployment.api.kill()
    deployment.registry.kill()
    deployment.restart(deployment.registry)
    deployment.restart(deployment.api)
    assert status_of(deployment, image_id) == "active"
    assert download(deployment, image_id) == data
    assert_accounted(deployment)


def test_a_client_that_goes_away_leaves_nothing(deployment):
    image_id = create(deployment)
    data = secrets.token_bytes(SIZE)
    begin_upload(deployment, image_id, data, SIZE // 2).close()
    assert wait_until(lambda: status_of(deployment, image_id) == "queued")
    assert_stores_empty(deployment)
    assert_upload_works(deployment, image_id)


def test_an_image_deleted_while_it_is_uploaded(deployment):
    image_id = create(deployment)
    data = secrets.token_bytes(SIZE)
    with begin_upload(deployment, image_id, data, SIZE // 2) as connection:
        assert deployment.session().delete(f"{deployment.url}/v2/images/{image_id}").status_code == 204
        send_quietly(connection, data[SIZE // 2 :])
        assert connection.answer(60).status in (0, 410)
    assert_stores_empty(deployment)
    assert_accounted(deployment)


def test_two_uploads_at_once_have_one_winner(deployment):
    image_id = create(deployment)
    first = secrets.token_bytes(SIZE)
    with begin_upload(deployment, image_id, first, SIZE // 2) as connection:
        answer = upload(deployment, image_id, b"second")
        assert answer.status_code in (409, 410)
        connection.send(first[SIZE // 2 :])
        assert connection.answer(60).status == 204
    assert download(deployment, image_id) == first
    assert_accounted(deployment)


def test_a_second_start_leaves_running_uploads_alone(deployment):
    """Started twice by mistake: the second finds the port in use, and must not take the first one's leases."""
    data = secrets.token_bytes(SIZE)
    image_id = create(deployment)
    with Connection(deployment.api.port) as connection:
        headers = {"Content-Type": "application/octet-stream", "Content-Length": SIZE}
        connection.send(head("PUT", f"/v2/images/{image_id}/file", headers))
        connection.send(data[: SIZE // 2])
        assert wait_until(lambda: status_of(deployment, image_id) == "saving")
        second = subprocess.run(deployment.api.command, capture_output=True, timeout=60)
        assert second.returncode != 0
        time.sleep(1)
        connection.send(data[SIZE // 2 :])
        assert connection.answer(60).status == 204
    assert status_of(deployment, image_id) == "active"
    assert_accounted(deployment)


def test_a_store_that_is_not_mounted_is_no_empty_image(deployment):
    image_id = create(deployment)
    assert upload(deployment, image_id, b"precious").status_code == 204
    moved = [(path, path.with_name(path.name + ".off")) for path in deployment.stores.values()]
    for path, off in moved:
        path.rename(off)
    session = deployment.session()
    assert session.get(f"{deployment.url}/v2/images/{image_id}/file", timeout=30).status_code == 503
    other = create(deployment)
    assert upload(deployment, other, b"nowhere to go").status_code == 503
    for path, off in moved:
        off.rename(path)
    assert session.get(f"{deployment.url}/v2/images/{image_id}/file", timeout=30).content == b"precious"
    assert upload(deployment, other, b"now there is").status_code == 204
