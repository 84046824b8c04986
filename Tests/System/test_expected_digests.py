"""Digests that a client declares with its data: other data is refused, and nothing of it stays."""

import base64
import hashlib

import pytest

from audit import assert_stores_empty
from wire import exchange

OCTETS = {"Content-Type": "application/octet-stream"}
DATA = bytes(range(251)) * 5000


def hexadecimal(algorithm, data=DATA):
    return hashlib.new(algorithm, data).hexdigest()


def sequence(algorithm, data=DATA):
    return f":{base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}:"


def multihash(name, data=DATA):
    hash_name = {"blake2b": "blake2b", "blake2s": "blake2s"}.get(name, name)
    return {"x-openstack-image-hash-algo": name, "x-openstack-image-hash-value": hexadecimal(hash_name, data)}


@pytest.fixture(scope="module")
def deployment(shared_deployments):
    return shared_deployments.start(options={"api": {"DEFAULT": ["enabled_import_methods = glance-direct"]}})


@pytest.fixture
def session(deployment):
    return deployment.session("member")


@pytest.fixture
def image(deployment, session):
    body = {"disk_format": "raw", "container_format": "bare"}
    url = f"{deployment.url}/v2/images/" + session.post(f"{deployment.url}/v2/images", json=body).json()["id"]
    yield url
    assert session.delete(url).status_code == 204
    assert_stores_empty(deployment)


def right(data=DATA):
    return {
        "sha512": multihash("sha512", data),
        "sha256, which costs a digest more": multihash("sha256", data),
        "blake2b": multihash("blake2b", data),
        "upper case": {k: v.upper() for k, v in multihash("sha256", data).items()},
        "checksum": {"x-openstack-image-checksum": hexadecimal("md5", data)},
        "Content-MD5": {"Content-MD5": base64.b64encode(hashlib.md5(data).digest()).decode()},
        "Content-MD5 as downloads have it": {"Content-MD5": hexadecimal("md5", data)},
        "Content-Digest": {"Content-Digest": f"sha-256={sequence('sha256', data)}"},
        "Repr-Digest": {"Repr-Digest": f"unixsum=:AAAB:, sha-512={sequence('sha512', data)} , md5={sequence('md5', data)}"},
        "all": {
            **multihash("sha384", data),
            "x-openstack-image-checksum": hexadecimal("md5", data),
            "Content-Digest": f"sha-512={sequence('sha512', data)}",
        },
    }


@pytest.mark.parametrize("which", right())
def test_the_data_that_was_meant(image, session, which):
    answer = session.put(image + "/file", data=DATA, headers={**OCTETS, **right()[which]})
    assert answer.status_code == 204, answer.text
    record = session.get(image).json()
    assert record["status"] == "active"
    assert (record["checksum"], record["os_hash_value"]) == (hexadecimal("md5"), hexadecimal("sha512"))


@pytest.mark.parametrize("chunked", [False, True], ids=["declared", "chunked"])
@pytest.mark.parametrize("which", right())
def test_other_data(deployment, image, session, which, chunked):
    other = DATA[:-1] + b"!"
    body = iter([other[:1000], other[1000:]]) if chunked else other
    answer = session.put(image + "/file", data=body, headers={**OCTETS, **right()[which]})
    assert answer.status_code == 400
    assert "was expected: nothing of it was kept" in answer.json()["message"]
    record = session.get(image).json()
    assert (record["status"], record["size"], record["checksum"], record["os_hash_value"]) == ("queued", None, None, None)
    assert_stores_empty(deployment)
    assert session.put(image + "/file", data=DATA, headers={**OCTETS, **right()[which]}).status_code == 204


def test_no_data_at_all(image, session):
    assert session.put(image + "/file", data=b"", headers={**OCTETS, **multihash("sha512")}).status_code == 400
    assert session.put(image + "/file", data=b"", headers={**OCTETS, **multihash("sha512", b"")}).status_code == 204


def test_staged_data(image, session):
    wrong = {**OCTETS, **multihash("sha256", b"other")}
    assert session.put(image + "/stage", data=DATA, headers=wrong).status_code == 400
    assert session.get(image).json()["status"] == "queued"
    assert session.put(image + "/stage", data=DATA, headers={**OCTETS, **multihash("sha256")}).status_code == 204
    assert session.get(image).json()["status"] == "uploading"


MALFORMED = {
    "no algorithm": {"x-openstack-image-hash-value": "00"},
    "no value": {"x-openstack-image-hash-algo": "sha256"},
    "an unknown algorithm": {"x-openstack-image-hash-algo": "crc32", "x-openstack-image-hash-value": "00" * 4},
    "too short": {"x-openstack-image-hash-algo": "sha256", "x-openstack-image-hash-value": "00" * 31},
    "no hexadecimal": {"x-openstack-image-checksum": "x" * 32},
    "an empty value": {"x-openstack-image-checksum": ""},
    "no Base64": {"Content-MD5": "!" * 24},
    "no byte sequence": {"Content-Digest": 'sha-256="abc"'},
    "no list": {"Repr-Digest": "sha-256"},
    "an empty member": {"Repr-Digest": f"sha-256={sequence('sha256')},"},
    "a short digest": {"Repr-Digest": "sha-256=:AAAA:"},
    "two opinions": {"x-openstack-image-checksum": hexadecimal("md5"), "Content-MD5": hexadecimal("md5", b"other")},
    "a header twice": {"x-openstack-image-checksum": [hexadecimal("md5"), hexadecimal("md5")]},
}


@pytest.mark.parametrize("place", ["file", "stage"])
@pytest.mark.parametrize("which", MALFORMED)
def test_what_is_malformed_is_refused_before_the_body(deployment, image, session, which, place):
    known = session.get(image).request.headers["Authorization"]
    headers = {**OCTETS, "Authorization": known, "Content-Length": 10, **MALFORMED[which]}
    target = image.removeprefix(deployment.url) + "/" + place
    answer = exchange(deployment.api.port, "PUT", target, headers)
    assert answer.status == 400
    assert session.get(image).json()["status"] == "queued"
