"""What an upload's bytes are, held against what its sender says: real images of every format, good and bad."""

import pytest

from audit import assert_accounted, stored_files
from test_crashes import download, status_of, upload


@pytest.fixture(scope="module")
def deployment(shared_deployments):
    # luks is no format of an image unless the operator adds it.
    formats = "disk_formats = ami,ari,aki,vhd,vhdx,vmdk,raw,qcow2,vdi,iso,ploop,luks"
    return shared_deployments.start(auth="noauth", options={"api": {"image_format": [formats]}})


def create(deployment, disk_format, container_format="bare"):
    body = {"name": "inspected", "disk_format": disk_format, "container_format": container_format}
    return deployment.session().post(f"{deployment.url}/v2/images", json=body).json()["id"]


def record(deployment, image_id):
    return deployment.session().get(f"{deployment.url}/v2/images/{image_id}").json()


def test_every_image_gets_what_it_deserves(deployment, images):
    # What the service has no name for can only be sent as something else.
    claims = {image.name: image.disk_format if image.disk_format != "-" else "raw" for image in images.values()}
    before = stored_files(deployment)
    for image in images.values():
        image_id = create(deployment, claims[image.name], image.container_format)
        answer = upload(deployment, image_id, image.data)
        shown = record(deployment, image_id)
        if image.is_safe:
            assert answer.status_code == 204, (image.name, answer.text)
            assert shown["status"] == "active"
            assert download(deployment, image_id) == image.data
            if image.container_format != "bare":
                expected = None
            elif claims[image.name] == "raw":
                # Where QEMU counts whole sectors.
                expected = image.size
            else:
                expected = image.virtual_size
            assert shown["virtual_size"] == expected, image.name
        else:
            assert answer.status_code == 415, (image.name, answer.text)
            assert (shown["status"], shown["size"], shown["checksum"]) == ("queued", None, None)
            assert deployment.session().get(f"{deployment.url}/v2/images/{image_id}/file").status_code == 204
        assert deployment.session().delete(f"{deployment.url}/v2/images/{image_id}").status_code == 204
        assert stored_files(deployment) == before, image.name
    assert_accounted(deployment)


def test_a_refused_image_can_be_sent_right(deployment, images):
    image_id = create(deployment, "qcow2")
    answer = upload(deployment, image_id, images["disk.vdi"].data)
    assert answer.status_code == 415
    assert "Image disk_format qcow2 does not match stream data vdi" in answer.text
    answer = upload(deployment, image_id, images["backing-host.qcow2"].data)
    assert answer.status_code == 415
    assert "Image failed safety checks" in answer.text
    assert "/etc/passwd" not in answer.text
    assert upload(deployment, image_id, images["v3.qcow2"].data).status_code == 204
    assert status_of(deployment, image_id) == "active"


def test_what_is_no_disk_is_not_looked_at(deployment, images):
    for container in ("ova", "docker", "compressed"):
        image_id = create(deployment, "raw", container)
        assert upload(deployment, image_id, images["backing.qcow2"].data).status_code == 204
        assert record(deployment, image_id)["virtual_size"] is None


def test_the_operator_may_let_mismatches_pass(deployments, images):
    options = {"api": {"image_format": ["require_image_format_match = false", "gpt_safety_checks_nonfatal = mbr"]}}
    deployment = deployments.start(auth="noauth", options=options)
    image_id = create(deployment, "qcow2")
    assert upload(deployment, image_id, images["disk.vdi"].data).status_code == 204
    assert record(deployment, image_id)["virtual_size"] is None
    # A boot sector whose table of partitions is none.
    image_id = create(deployment, "raw")
    assert upload(deployment, image_id, images["kernel.aki"].data).status_code == 204
    image_id = create(deployment, "qcow2")
    assert upload(deployment, image_id, images["backing.qcow2"].data).status_code == 415
