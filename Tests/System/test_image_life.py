"""The life of an image through the two real programs, led by clients that know nothing of this project."""

import hashlib
import uuid

import pytest

from clients import SDK, GlanceCommand, GlanceLibrary, OpenStackCommand
from services import wait_until

CLIENTS = [
    pytest.param(OpenStackCommand, "http_basic", id="openstack-http_basic"),
    pytest.param(OpenStackCommand, "noauth", id="openstack-none"),
    pytest.param(SDK, "http_basic", id="openstacksdk-http_basic"),
    pytest.param(SDK, "noauth", id="openstacksdk-none"),
    pytest.param(GlanceLibrary, "http_basic", id="glanceclient-http_basic"),
    pytest.param(GlanceCommand, "noauth", id="glance-none"),
]


@pytest.fixture(scope="module")
def running(shared_deployments):
    """One deployment per way of authentication; between them both transports, and one store and several."""
    made = {}

    def get(auth):
        if auth not in made:
            shapes = {
                "http_basic": {"transport": "tcp"},
                "noauth": {"transport": "unix", "stores": ("fast", "slow")},
            }
            made[auth] = shared_deployments.start(auth=auth, **shapes[auth])
        return made[auth]

    return get


@pytest.mark.parametrize(("client_type", "auth"), CLIENTS)
def test_life(running, client_type, auth, image, tmp_path):
    deployment = running(auth)
    # Not an administrator where there is a choice: a deactivated image must be refused to its owner.
    client = client_type(deployment, "member")
    name = f"{image.name}-{uuid.uuid4().hex[:8]}"

    image_id = client.create_and_upload(image, name, {"os_distro": "memtest", "hw_note": "höher, \"quoted\" & weiter"})
    wait_until(lambda: client.show(image_id)["status"] == "active")
    record = client.show(image_id)
    assert record["name"] == name
    assert record["status"] == "active"
    assert record["size"] == image.size
    assert record["checksum"] == hashlib.md5(image.data).hexdigest()
    assert record["os_hash_algo"] == "sha512"
    assert record["os_hash_value"] == hashlib.sha512(image.data).hexdigest()
    assert record["os_distro"] == "memtest"
    assert record["hw_note"] == "höher, \"quoted\" & weiter"
    assert image_id in client.list()

    client.set_property(image_id, "os_version", "6.10")
    assert client.show(image_id)["os_version"] == "6.10"
    client.set_property(image_id, "os_version", "7.00")
    assert client.show(image_id)["os_version"] == "7.00"
    client.unset_property(image_id, "os_version")
    assert "os_version" not in client.show(image_id)

    client.add_tag(image_id, "small")
    client.add_tag(image_id, "bootable")
    assert set(client.show(image_id)["tags"]) == {"small", "bootable"}
    client.remove_tag(image_id, "small")
    assert set(client.show(image_id)["tags"]) == {"bootable"}

    client.download(image_id, tmp_path / "first")
    assert (tmp_path / "first").read_bytes() == image.data

    client.deactivate(image_id)
    assert client.show(image_id)["status"] == "deactivated"
    if auth == "http_basic":
        refused = deployment.session("member").get(f"{deployment.url}/v2/images/{image_id}/file")
        assert refused.status_code == 403
        assert "The requested image has been deactivated. Image data download is forbidden." in refused.text
        # openstacksdk takes the refusal's body for the image's, and finds that its digest is another one.
        with pytest.raises(Exception, match="(?i)403|forbidden|deactivated|checksum mismatch"):
            client.download(image_id, tmp_path / "refused")
    else:
        client.download(image_id, tmp_path / "as-administrator")
        assert (tmp_path / "as-administrator").read_bytes() == image.data
    client.reactivate(image_id)
    client.download(image_id, tmp_path / "second")
    assert (tmp_path / "second").read_bytes() == image.data

    client.delete(image_id)
    assert image_id not in client.list()
    with pytest.raises(Exception, match="(?i)404|not found|no image"):
        client.show(image_id)
    assert not any(image_id in str(path) for folder in deployment.stores.values() for path in folder.rglob("*"))
