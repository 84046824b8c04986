"""What the tests of images' locations share: a deployment that shows them, and somebody's requests about them."""

import json
import time

import pytest

from services import User, wait_until
from web_source import WebSource

V21 = "application/openstack-images-v2.1-json-patch"
V20 = "application/openstack-images-v2.0-json-patch"
DATA = bytes(range(256)) * 4096
SERVICE = User("service", "service", "service")


def options(**more):
    return {
        "api": {
            "DEFAULT": ["show_multiple_locations = true", "show_image_direct_url = true", *more.pop("default", [])],
            "import_filtering_opts": ["allowed_hosts = 127.0.0.1", "allowed_ports ="],
            **more,
        }
    }


def start(deployments, **arguments):
    arguments.setdefault("options", options())
    deployment = deployments.prepare(auth="trusted_headers", **arguments)
    deployment.users["service"] = SERVICE
    return deployment.start()


class Images:
    """Somebody's requests about one deployment's images."""

    def __init__(self, deployment, user="member"):
        self.base = f"{deployment.url}/v2/images"
        self.session = deployment.session(user)

    def request(self, method, path, **arguments):
        return self.session.request(method, f"{self.base}{path}", timeout=60, **arguments)

    def create(self, **fields):
        body = {"name": "located", "disk_format": "raw", "container_format": "bare", **fields}
        answer = self.request("POST", "", json={k: v for k, v in body.items() if v is not None})
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def show(self, image_id):
        return self.request("GET", f"/{image_id}").json()

    def patch(self, image_id, *operations, media_type=V21):
        return self.request(
            "PATCH", f"/{image_id}", data=json.dumps(operations), headers={"Content-Type": media_type}
        )

    def add(self, image_id, url, position="-", **more):
        value = {"url": url, "metadata": {}, **more}
        return self.patch(image_id, {"op": "add", "path": f"/locations/{position}", "value": value})

    def remove(self, image_id, position):
        return self.patch(image_id, {"op": "remove", "path": f"/locations/{position}"})

    def replace(self, image_id, *entries):
        return self.patch(image_id, {"op": "replace", "path": "/locations", "value": list(entries)})

    def post(self, image_id, url, algorithm=None, value=None):
        body = {"url": url}
        if algorithm:
            body["validation_data"] = {"os_hash_algo": algorithm, "os_hash_value": value}
        return self.request("POST", f"/{image_id}/locations", json=body)

    def wait(self, image_id, **expected):
        def reached():
            record = self.show(image_id)
            return record if all(record.get(name) == value for name, value in expected.items()) else None

        record = wait_until(reached, 30)
        assert record, f"{expected} is not reached: {self.show(image_id)}"
        return record


def refusal(answer, status, phrase):
    assert answer.status_code == status, answer.text
    assert phrase in answer.json()["message"], answer.text


def slow(source, seconds):
    return held(source, lambda: time.sleep(seconds))


def held(source, wait):
    """A source of which nothing can be read until `wait` returns."""

    def answer(handler):
        if handler.command == "GET":
            wait()
        source.send(handler, 200, DATA)

    return answer


# --- fixtures, for the files that import them -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def deployment(shared_deployments):
    return start(shared_deployments)


@pytest.fixture(scope="module")
def source():
    source = WebSource()
    source.add("/data", DATA)
    source.add("/same", DATA)
    source.add("/equal", DATA)
    source.add("/other", b"other" * 1000)
    source.add("/empty", b"")
    yield source
    source.close()


@pytest.fixture
def member(deployment):
    return Images(deployment)


@pytest.fixture
def admin(deployment):
    return Images(deployment, "admin")
