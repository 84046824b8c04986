"""Whatever QEMU follows out of its file is refused, however it is sent, and whether a mismatch is let pass or not. QEMU is
asked for each image what it follows: when it finds out the format by itself, and when it is told."""

import json
import subprocess

import pytest

import odd_images
from test_content_inspection import create
from test_crashes import upload

FORMATS = "disk_formats = ami,ari,aki,vhd,vhdx,vmdk,raw,qcow2,vdi,iso,ploop,luks"
UNSAFE = "Image failed safety checks"


@pytest.fixture(scope="module")
def strict(shared_deployments):
    return shared_deployments.start(auth="noauth", options={"api": {"image_format": [FORMATS]}})


@pytest.fixture(scope="module")
def lenient(shared_deployments):
    options = {"api": {"image_format": [FORMATS, "require_image_format_match = false"]}}
    return shared_deployments.start(auth="noauth", options=options)


@pytest.fixture
def host_file(tmp_path):
    path = tmp_path / "host"
    path.write_bytes(b"of the host" * 1000)
    return path


def followed(path, driver=None):
    """The other files that QEMU takes for parts of an image."""
    told = ["-f", driver] if driver else []
    command = ["qemu-img", "info", "-U", "--output=json", *told, str(path)]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if answer.returncode != 0:
        return set()
    information = json.loads(answer.stdout)
    data = information.get("format-specific", {}).get("data", {})
    names = {extent["filename"] for extent in data.get("extents", [])} | {information.get("backing-filename")}
    return names - {None, str(path)}


def sent(deployment, claim, data):
    """The answer's status and message; what is taken is deleted again."""
    image_id = create(deployment, claim)
    answer = upload(deployment, image_id, data)
    assert deployment.session().delete(f"{deployment.url}/v2/images/{image_id}").status_code == 204
    return answer.status_code, answer.text


def test_what_qemu_follows_is_refused(strict, lenient, images, host_file, tmp_path):
    path = tmp_path / "image"
    by_itself = told = 0
    for what, claim, driver, data in odd_images.every(host_file):
        path.write_bytes(data)
        refused_claims = set()
        if followed(path, driver):
            refused_claims = {claim}
            told += 1
        if followed(path):
            refused_claims = {claim, "raw", "iso"}
            by_itself += 1
        for deployment in (strict, lenient):
            for refused in refused_claims:
                status, text = sent(deployment, refused, data)
                assert (status, UNSAFE in text) == (415, True), (what, refused, text)
                assert str(host_file) not in text
            if "raw" not in refused_claims:
                assert sent(deployment, "raw", data)[0] == 204, what
    # QEMU was asked indeed, and follows most of them.
    assert by_itself >= 15
    assert told >= by_itself + 8


def test_what_names_nothing_is_raw_data(strict, lenient, images, host_file, tmp_path):
    path = tmp_path / "image"
    for what, claim, driver, data in odd_images.harmless():
        path.write_bytes(data)
        assert not followed(path) and not followed(path, driver), what
        assert sent(strict, "raw", data)[0] == 204, what
        assert sent(lenient, claim, data)[0] == 204, what
        assert sent(strict, claim, data)[0] == 415, what
