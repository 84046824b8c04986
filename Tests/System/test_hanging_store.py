"""A store that hangs: whatever goes to it is cut off with a clear answer and repaired later, and others notice nothing."""

import concurrent.futures
import contextlib
import secrets
import time

import pytest

import tus
from audit import assert_accounted, file_of, rows
from hanging_store import HangingDirectory
from located_images import Images, options, refusal
from services import wait_until
from web_source import WebSource
from wire import exchange

OCTETS = {"Content-Type": "application/octet-stream"}
DATA = secrets.token_bytes(3 << 20)
SILENCE = "The image store does not answer; try again later."
# Fewer than the requests that hang in it at once.
STORE = ["filesystem_store_timeout = 2", "filesystem_store_thread_pool_size = 3"]


@pytest.fixture(scope="module")
def deployment(shared_deployments):
    more = options(default=["enabled_backends = fast:file, slow:file, web:http"], slow=STORE, web=["weight = 5"])
    deployment = shared_deployments.prepare(auth="trusted_headers", stores=("fast", "slow"), options=more)
    deployment.hanging = HangingDirectory(deployment.stores["slow"], deployment.directory)
    deployment.api.environment = deployment.hanging.environment
    return deployment.start()


@pytest.fixture
def member(deployment):
    return Images(deployment)


def put(images, image_id, store, data=DATA):
    headers = {**OCTETS, "x-image-meta-store": store}
    return images.request("PUT", f"/{image_id}/file", data=data, headers=headers)


def uploaded(images, store="slow"):
    image_id = images.create()
    assert_taken(images, image_id, store)
    return image_id


def assert_taken(images, image_id, store="slow"):
    """Its data is taken, of a store that may still be at what hung, or on a machine as busy as a store that hangs."""
    assert wait_until(lambda: put(images, image_id, store).status_code == 204, 60)


def whole_life(images):
    """An image that is uploaded to the other store, read and deleted: the seconds it took."""
    start = time.monotonic()
    image_id = uploaded(images, "fast")
    assert images.request("GET", f"/{image_id}/file").content == DATA
    assert images.request("DELETE", f"/{image_id}").status_code == 204
    return time.monotonic() - start


@contextlib.contextmanager
def while_hanging(deployment, images):
    """Others are served all the while: in turn, and as often as they can."""
    with deployment.hanging, concurrent.futures.ThreadPoolExecutor(1) as others:
        lives, is_over = [], False

        def live():
            while not is_over or len(lives) < 3:
                lives.append(whole_life(images))

        running = others.submit(live)
        try:
            yield
        finally:
            is_over = True
        running.result(120)
        # One that waited for the hanging store would have taken as long as all that wait for it.
        assert max(lives) < 20, lives


def test_downloads_and_uploads_are_cut_off(deployment, member):
    image_id, targets = uploaded(member), [member.create() for _ in range(6)]
    with while_hanging(deployment, member), concurrent.futures.ThreadPoolExecutor(12) as clients:
        downloads = [clients.submit(member.request, "GET", f"/{image_id}/file") for _ in range(6)]
        uploads = [clients.submit(put, member, target, "slow") for target in targets]
        for answer in [each.result(120) for each in downloads + uploads]:
            refusal(answer, 503, SILENCE)
        assert [member.show(target)["status"] for target in targets] == ["queued"] * 6
        assert deployment.api.is_healthy()
    # What hung goes on by itself, and is put right.
    assert wait_until(lambda: member.request("GET", f"/{image_id}/file").status_code == 200, 30)
    assert member.request("GET", f"/{image_id}/file").content == DATA
    assert_taken(member, targets[0])
    assert member.request("GET", f"/{targets[0]}/file").content == DATA
    assert_accounted(deployment, 60)


def test_an_upload_that_hangs_in_the_middle(deployment, member):
    image_id = member.create()
    headers = {name: value for name, value in member.session.headers.items() if name.startswith("X-")}
    headers |= {**OCTETS, "Content-Length": 64 << 20, "x-image-meta-store": "slow"}

    def chunks():
        for number in range(64):
            if number == 8:
                assert wait_until(lambda: any(deployment.stores["slow"].glob(f".uploads/{image_id}.*")))
                deployment.hanging.__enter__()
            yield bytes(1 << 20)

    with while_hanging(deployment, member):
        deployment.hanging.__exit__()
        answer = exchange(deployment.api.port, "PUT", f"/v2/images/{image_id}/file", headers, chunks(), 120)
        assert answer.status == 503 and SILENCE.encode() in answer.body, answer
        assert member.show(image_id)["status"] == "queued"
    assert_accounted(deployment, 60)


def test_an_upload_in_pieces_goes_on_when_the_store_is_back(deployment, member):
    image = f"{member.base}/{member.create()}"
    upload = tus.Upload.create(member.session, image, len(DATA), **{"x-image-meta-store": "slow"})

    def goes_on(end):
        offset = int(upload.head().headers.get("Upload-Offset", "-1"))
        return offset >= 0 and upload.patch(DATA[offset:end], offset).status_code == 204

    assert wait_until(lambda: goes_on(1 << 20), 60)
    with while_hanging(deployment, member):
        refusal(upload.patch(DATA[1 << 20 :], 1 << 20), 503, SILENCE)
    assert wait_until(lambda: goes_on(len(DATA)), 60, every=1)
    assert member.session.get(f"{image}/file").content == DATA
    assert_accounted(deployment, 60)


def test_deletions_stay_queued(deployment, member):
    source = WebSource()
    copied, gone = uploaded(member), uploaded(member)
    assert member.add(copied, source.add("/data", DATA)).status_code == 200
    files = [file_of(url) for (url,) in rows(deployment, "SELECT url FROM image_locations WHERE url LIKE 'file:%'")]
    files = [path for path in files if path.name in (copied, gone)]
    with while_hanging(deployment, member):
        with concurrent.futures.ThreadPoolExecutor(2) as clients:
            admin = Images(deployment, "admin")
            removal = clients.submit(admin.session.delete, f"{deployment.url}/v2/stores/slow/{copied}", timeout=60)
            deletion = clients.submit(member.request, "DELETE", f"/{gone}")
            assert [removal.result().status_code, deletion.result().status_code] == [204, 204]
        assert member.request("GET", f"/{gone}").status_code == 404
        assert member.request("GET", f"/{copied}/file").content == DATA
    assert len(files) == 2
    assert wait_until(lambda: not any(path.exists() for path in files), 60), "the queued deletions are not carried out"
    assert member.request("DELETE", f"/{copied}").status_code == 204
    assert_accounted(deployment, 60)
    source.close()
