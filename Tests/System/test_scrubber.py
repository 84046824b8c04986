"""glance-scrubber: deletions that are put off, and data that is verified, with the real programs."""

import fcntl
import re
import secrets
import subprocess
import time

import pytest

from audit import assert_accounted, rows, stored_files
from located_images import DATA as WEB_DATA
from located_images import Images, options, refusal
from located_images import start as start_located
from services import PROGRAMS, wait_until
from web_source import WebSource

KIB = 1024
DELAYED = {"api": {"DEFAULT": ["delayed_delete = true"]}}


class Scrubber:
    """The program on a deployment's stores, with options of its own."""

    def __init__(self, deployment, *lines, **default):
        self.deployment = deployment
        self.metrics_file = deployment.directory / "scrubber.prom"
        self.own = deployment.directory / f"scrubber-{secrets.token_hex(4)}.conf"
        defaults = [f"{name} = {value}" for name, value in default.items()]
        text = ["[DEFAULT]", *defaults, "[scrubber]", f"metrics_file = {self.metrics_file}", *lines, ""]
        self.own.write_text("\n".join(text))

    def start(self, *arguments):
        files = ["--config-file", self.deployment.api.configuration, "--config-file", self.own]
        command = [PROGRAMS / "glance-scrubber", *arguments, *files]
        return subprocess.Popen(
            [str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
        )

    def finish(self, process, expected=0):
        said, log = process.communicate(timeout=120)
        assert process.returncode == expected, said + log
        for secret in self.deployment.secret_texts():
            assert secret not in said + log
        return said, log

    def run(self, *arguments, expected=0):
        return self.finish(self.start(*arguments), expected)

    def counts(self, *arguments, expected=0):
        """The numbers of the line that sums a round up."""
        return tuple(map(int, re.findall(r"\d+", self.run(*arguments, expected=expected)[0])))

    def metric(self, name):
        found = re.search(rf"^{re.escape(name)} (\S+)$", self.metrics_file.read_text(), re.MULTILINE)
        return found and float(found[1])

    def damaged(self):
        said, _ = self.run("damaged")
        return [tuple(line.split("\t")[:3]) for line in said.splitlines()]


def upload(deployment, data, **fields):
    session = deployment.session()
    body = {"disk_format": "raw", "container_format": "bare", **fields}
    made = session.post(f"{deployment.url}/v2/images", json=body)
    assert made.status_code == 201, made.text
    image_id = made.json()["id"]
    headers = {"Content-Type": "application/octet-stream"}
    sent = session.put(f"{deployment.url}/v2/images/{image_id}/file", data=data, headers=headers)
    assert sent.status_code == 204, sent.text
    return image_id


def request(deployment, method, image_id, path=""):
    return deployment.session().request(method, f"{deployment.url}/v2/images/{image_id}{path}")


def delete(deployment, image_id, expected=204):
    answer = request(deployment, "DELETE", image_id)
    assert answer.status_code == expected, answer.text
    return answer


def status_of(deployment, image_id):
    return rows(deployment, f"SELECT status FROM images WHERE id = '{image_id}'")[0][0]


def file_of(deployment, image_id):
    return next(folder for folder in deployment.stores.values()) / image_id


# --- deletions that are put off -------------------------------------------------------------------------------------


@pytest.mark.parametrize("stores", [(), ("fast", "slow")], ids=["one_store", "stores"])
def test_a_deleted_image_waits_for_the_scrubber(deployments, stores):
    deployment = deployments.start(auth="noauth", stores=stores, options=DELAYED)
    scrubber = Scrubber(deployment)
    empty = deployment.session().post(f"{deployment.url}/v2/images", json={}).json()["id"]
    image_id = upload(deployment, b"data", name="kept", tags=["a"], os_distro="x")
    delete(deployment, empty)
    delete(deployment, image_id)
    assert status_of(deployment, empty) == "deleted"
    assert status_of(deployment, image_id) == "pending_delete"
    for path in ("", "/file", "/members"):
        assert request(deployment, "GET", image_id, path).status_code == 404
    for query in ("", "?status=pending_delete"):
        assert deployment.session().get(f"{deployment.url}/v2/images{query}").json()["images"] == []
    taken = deployment.session().post(f"{deployment.url}/v2/images", json={"id": image_id})
    assert taken.status_code == 409
    assert file_of(deployment, image_id).read_bytes() == b"data"

    said, _ = scrubber.run("--restore", image_id)
    assert "active" in said
    shown = request(deployment, "GET", image_id).json()
    assert (shown["status"], shown["name"], shown["tags"], shown["os_distro"]) == ("active", "kept", ["a"], "x")
    assert request(deployment, "GET", image_id, "/file").content == b"data"
    assert scrubber.counts() == (0, 0)

    request(deployment, "POST", image_id, "/actions/deactivate")
    assert "from deactivated to pending_delete" in delete(deployment, image_id, expected=400).text
    request(deployment, "POST", image_id, "/actions/reactivate")
    delete(deployment, image_id)
    assert scrubber.counts() == (1, 0)
    assert scrubber.metric('scrubber_deletions{outcome="removed"}') == 1
    assert status_of(deployment, image_id) == "deleted"
    assert stored_files(deployment) == set()
    assert_accounted(deployment)


def test_nothing_goes_before_its_time_and_restoring_says_why_it_cannot(deployments):
    options = {"api": {"DEFAULT": ["delayed_delete = true", "scrub_time = 3600"]}}
    deployment = deployments.start(auth="noauth", options=options)
    scrubber = Scrubber(deployment)
    image_id = upload(deployment, b"data")
    _, log = scrubber.run("--restore", image_id, expected=1)
    assert "cannot restore the image from active to active" in log
    _, log = scrubber.run("--restore", "00000000-0000-4000-8000-000000000000", expected=1)
    assert "No image found" in log
    delete(deployment, image_id)
    assert scrubber.counts() == (0, 0)
    assert file_of(deployment, image_id).exists()
    for wrong in (["--restore", "x"], ["--restore", image_id, "--daemon"], ["--daemon", "--nodaemon"]):
        scrubber.run(*wrong, expected=64)
    scrubber.run("--restore", image_id)


def test_a_scrubber_that_is_killed_loses_nothing(deployments):
    deployment = deployments.start(auth="noauth", options=DELAYED)
    scrubber = Scrubber(deployment)
    images = [upload(deployment, b"data %d" % number) for number in range(6)]
    files = [file_of(deployment, image_id) for image_id in images]
    for image_id in images:
        delete(deployment, image_id)
    with files[3].open() as held:
        # What removes a file locks it: the scrubber has to wait here.
        fcntl.flock(held, fcntl.LOCK_EX)
        process = scrubber.start()
        assert wait_until(lambda: [f.exists() for f in files] == [False] * 3 + [True] * 3)
        process.kill()
        process.communicate()
    assert status_of(deployment, images[5]) == "pending_delete"
    assert "being removed" in scrubber.run("--restore", images[5], expected=1)[1]
    # The API may do some of it: a deletion that was begun is anybody's.
    scrubber.run()
    assert wait_until(lambda: {status_of(deployment, i) for i in images} == {"deleted"})
    assert_accounted(deployment)
    assert stored_files(deployment) == set()


def test_a_store_that_is_away_keeps_everything_queued(deployments):
    deployment = deployments.start(auth="noauth", options=DELAYED)
    scrubber = Scrubber(deployment)
    images = [upload(deployment, b"data") for _ in range(3)]
    for image_id in images:
        delete(deployment, image_id)
    store, away = deployment.stores["default"], deployment.directory / "away"
    store.rename(away)
    store.mkdir()
    removed, postponed = scrubber.counts(expected=2)
    assert (removed, postponed) == (0, 3)
    assert {status_of(deployment, i) for i in images} == {"pending_delete"}
    assert list(store.iterdir()) == [], "nothing is made where the store is to be mounted"
    store.rmdir()
    away.rename(store)
    scrubber.run()
    assert wait_until(lambda: {status_of(deployment, i) for i in images} == {"deleted"})
    assert stored_files(deployment) == set()


def test_data_from_before_there_were_several_stores_is_found(deployments):
    deployment = deployments.start(auth="noauth", options=DELAYED)
    kept, deleted = (upload(deployment, b"data") for _ in range(2))
    delete(deployment, deleted)
    several = Scrubber(deployment, enabled_backends="new:file, old:file")
    with several.own.open("a") as file:
        file.write("[glance_store]\ndefault_backend = new\n")
        for name, folder in {"new": deployment.directory / "new", "old": deployment.stores["default"]}.items():
            file.write(f"[{name}]\nfilesystem_store_datadir = {folder}\n")
    assert several.counts() == (1, 0)
    assert several.counts("verify") == (1, 0, 0)
    assert stored_files(deployment) == {file_of(deployment, kept)}


def test_two_scrubbers_share_the_work(deployments):
    deployment = deployments.start(auth="noauth", options=DELAYED)
    images = [upload(deployment, b"data") for _ in range(24)]
    for image_id in images:
        delete(deployment, image_id)
    scrubbers = [Scrubber(deployment, scrub_pool_size=4) for _ in range(2)]
    processes = [scrubber.start() for scrubber in scrubbers]
    said = [scrubber.finish(process)[0] for scrubber, process in zip(scrubbers, processes)]
    assert sum(int(re.search(r"\d+", text)[0]) for text in said) == len(images), said
    assert stored_files(deployment) == set()
    assert_accounted(deployment)


def test_the_daemon_goes_on_until_it_is_told_to_stop(deployments):
    deployment = deployments.start(auth="noauth", options=DELAYED)
    scrubber = Scrubber(deployment, wakeup_time=1)

    def deleted():
        image_id = upload(deployment, b"data")
        delete(deployment, image_id)
        return image_id

    image_id = deleted()
    # A registry that is not there yet, or not for a while, costs rounds, not the daemon.
    deployment.registry.stop()
    process = scrubber.start("--daemon")
    try:
        deployment.start_program(deployment.registry)
        assert wait_until(lambda: status_of(deployment, image_id) == "deleted", seconds=60)
        image_id = deleted()
        assert wait_until(lambda: status_of(deployment, image_id) == "deleted", seconds=30)
        assert process.poll() is None
        process.terminate()
        scrubber.finish(process)
    finally:
        process.kill()


def test_a_copy_that_was_removed_before_keeps_nobody_from_restoring(deployments):
    source = WebSource()
    source.add("/data", WEB_DATA)
    delayed = ["delayed_delete = true", "scrub_time = 3600"]
    several = options(default=["enabled_backends = fast:file, web:http", *delayed], fast=["weight = 9"])
    deployment = start_located(deployments, stores=("fast",), options=several)
    try:
        member, admin = Images(deployment), deployment.session("admin")
        image_id = member.create()
        headers = {"Content-Type": "application/octet-stream"}
        assert member.request("PUT", f"/{image_id}/file", data=WEB_DATA, headers=headers).status_code == 204
        assert member.add(image_id, source.url + "/data").status_code == 200
        store, away = deployment.stores["fast"], deployment.directory / "away"
        store.rename(away)
        assert admin.delete(f"{deployment.url}/v2/stores/fast/{image_id}", timeout=60).status_code == 204
        assert member.request("DELETE", f"/{image_id}").status_code == 204
        away.rename(store)
        # The API may be first.
        scrubber = Scrubber(deployment)
        scrubber.run()
        assert wait_until(lambda: not (store / image_id).exists(), 45)
        queued = "SELECT count(*) FROM image_locations WHERE store = 'fast'"
        assert wait_until(lambda: rows(deployment, queued) == [(0,)])
        scrubber.run("--restore", image_id)
        assert member.show(image_id)["stores"] == "web"
        assert member.request("GET", f"/{image_id}/file").content == WEB_DATA
    finally:
        source.close()


# --- verification ---------------------------------------------------------------------------------------------------


def flip(path, at=1000):
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 0x10]))


def test_a_flipped_byte_is_found_marked_and_forgiven(deployments):
    deployment = deployments.start(auth="noauth")
    scrubber = Scrubber(deployment)
    images = [upload(deployment, secrets.token_bytes(200 * KIB)) for _ in range(4)]
    flipped, cut, gone, sound = (file_of(deployment, image_id) for image_id in images)
    assert scrubber.counts("verify") == (4, 0, 0)
    data = cut.read_bytes(), gone.read_bytes()
    flip(flipped)
    cut.write_bytes(data[0][:-1])
    gone.unlink()
    _, log = scrubber.run("verify", "--image", "00000000-0000-4000-8000-000000000000", expected=1)
    assert "has no data" in log
    # Just verified: not their turn.
    assert scrubber.counts("verify") == (0, 0, 0)
    assert scrubber.counts("verify", "--all", expected=2) == (4, 3, 0)
    assert scrubber.damaged() == [
        (images[0], "digest", "-"), (images[1], "size", "-"), (images[2], "missing", "-")
    ]
    assert scrubber.metric("verifier_damaged_copies") == 3
    assert scrubber.metric('verifier_copies{result="digest"}') == 1
    for image_id, status in zip(images, (500, 500, 204)):
        answer = request(deployment, "GET", image_id, "/file")
        assert answer.status_code == status and "Content-MD5" not in answer.headers
        assert str(deployment.directory) not in answer.text
        assert request(deployment, "GET", image_id).json()["status"] == "active"
    assert request(deployment, "GET", images[3], "/file").content == sound.read_bytes()

    flip(flipped)
    cut.write_bytes(data[0])
    gone.write_bytes(data[1])
    assert scrubber.counts("verify", "--image", images[0]) == (1, 0, 0)
    assert [image_id for image_id, *_ in scrubber.damaged()] == images[1:3]
    assert request(deployment, "GET", images[0], "/file").content == flipped.read_bytes()
    # A mark goes with its image, too.
    delete(deployment, images[1])
    assert scrubber.counts("verify", "--all") == (3, 0, 0)
    assert scrubber.damaged() == [] and scrubber.metric("verifier_damaged_copies") == 0


def test_a_sound_copy_stands_in_for_a_damaged_one(deployments):
    source = WebSource()
    source.add("/data", WEB_DATA)
    several = options(default=["enabled_backends = fast:file, web:http"], fast=["weight = 9"])
    deployment = start_located(deployments, stores=("fast",), options=several)
    try:
        member = Images(deployment)
        image_id = member.create()
        headers = {"Content-Type": "application/octet-stream"}
        assert member.request("PUT", f"/{image_id}/file", data=WEB_DATA, headers=headers).status_code == 204
        assert member.add(image_id, source.url + "/data").status_code == 200
        flip(deployment.stores["fast"] / image_id, at=1)
        scrubber = Scrubber(deployment)
        assert scrubber.counts("verify", expected=2) == (1, 1, 0)
        assert scrubber.damaged() == [(image_id, "digest", "fast")]
        assert member.request("GET", f"/{image_id}/file").content == WEB_DATA
        # The other one stays the image's until there is another that is sound.
        admin = Images(deployment, "admin")
        refusal(admin.remove(image_id, 1), 403, "all other copies are damaged")
        # Without the other copy there still is data, and none that is fit to be given.
        del source.files["/data"]
        assert member.request("GET", f"/{image_id}/file").status_code == 500
    finally:
        source.close()


def test_a_store_that_is_away_is_no_damage(deployments):
    deployment = deployments.start(auth="noauth")
    scrubber = Scrubber(deployment)
    images = [upload(deployment, b"data") for _ in range(5)]
    store, away = deployment.stores["default"], deployment.directory / "away"
    store.rename(away)
    # Three in a row are enough to leave the store alone.
    assert scrubber.counts("verify", expected=3) == (0, 0, 3)
    assert scrubber.damaged() == []
    away.rename(store)
    assert scrubber.counts("verify", "--image", images[0]) == (1, 0, 0)
    assert scrubber.counts("verify") == (2, 0, 0), "the other two wait ten minutes"


def test_verification_keeps_its_pace_and_goes_on_where_it_was_killed(deployments):
    deployment = deployments.start(auth="noauth")
    # So many that most are left, however late it is ended.
    count = 30
    for _ in range(count):
        upload(deployment, secrets.token_bytes(128 * KIB))
    slow = Scrubber(deployment, "verify_rate = 128KB")
    verified = "SELECT image_id FROM image_locations WHERE verified_at > 0"
    began = time.monotonic()
    process = slow.start("verify")
    assert wait_until(lambda: len(rows(deployment, verified)) >= 3, seconds=60)
    assert time.monotonic() - began > 2.5, "three times 128 KiB at 128 KiB a second"
    process.kill()
    process.communicate()
    done = len(rows(deployment, verified))
    assert done < count
    # Of the last one that it verified the registry may have heard just now.
    assert Scrubber(deployment).counts("verify") in [(count - done, 0, 0), (count - done - 1, 0, 0)]
    assert len(rows(deployment, verified)) == count
    Scrubber(deployment, "verify_rate = 1KB").run("verify", expected=1)


def test_two_verifiers_share_the_work(deployments):
    deployment = deployments.start(auth="noauth")
    for _ in range(12):
        upload(deployment, secrets.token_bytes(64 * KIB))
    scrubber = Scrubber(deployment, "verify_rate = 256KB")
    said = [scrubber.finish(process)[0] for process in [scrubber.start("verify"), scrubber.start("verify")]]
    # The second takes what the first of the same host was at for something that was left behind, and reads it again.
    assert sum(int(re.search(r"\d+", text)[0]) for text in said) in (12, 13), said
    assert rows(deployment, "SELECT count(*) FROM image_locations WHERE verified_at = 0") == [(0,)]
