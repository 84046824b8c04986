"""The catalogue of metadata definitions with stock clients and `glance-manage db …`, and what images make of it."""

import json
import subprocess

import pytest

from clients import GlanceCommand, OpenStackCommand
from metadefs import CATALOGUE, DEFINITION, Actor
from services import PROGRAMS


@pytest.fixture(scope="module")
def open_deployment(shared_deployments):
    """Where everybody is an administrator: what the clients' commands want."""
    return shared_deployments.start(auth="noauth")


# --- stock clients ----------------------------------------------------------------------------------------------------


def test_a_life_with_openstack(open_deployment):
    def run(*arguments, shows=True):
        text = OpenStackCommand(open_deployment, "admin").run(
            "image", "metadef", *arguments, *(["-f", "json"] if shows else [])
        )
        return json.loads(text) if shows else text

    name = "Client::OpenStack"
    created = run("namespace", "create", "--display-name", "d", "--public", "--unprotected", name)
    assert (created["namespace"], created["visibility"], created["protected"]) == (name, "public", False)
    run("namespace", "set", "--description", "e", "--tag", "one", "--tag", "two", name, shows=False)
    assert run("namespace", "show", name)["description"] == "e"
    run("property", "create", "--name", "p", "--title", "t", "--type", "integer", "--schema", '{"minimum": 1}', name)
    assert run("property", "show", name, "p")["minimum"] == 1
    run("property", "set", "--name", "q", "--title", "u", "--type", "integer", "--schema", "{}", name, "p", shows=False)
    assert [row["name"] for row in run("property", "list", name)] == ["q"]
    run("object", "create", "--namespace", name, "o")
    run("object", "update", "--name", "o2", name, "o", shows=False)
    assert run("object", "show", name, "o2")["name"] == "o2"
    assert [row["name"] for row in run("object", "list", name)] == ["o2"]
    run("resource", "type", "association", "create", name, "OS::Glance::Image")
    assert len(run("resource", "type", "association", "list", name)) == 1
    assert "OS::Glance::Image" in json.dumps(run("resource", "type", "list"))
    run("resource", "type", "association", "delete", name, "OS::Glance::Image", shows=False)
    assert name in {row["namespace"] for row in run("namespace", "list")}
    run("namespace", "unset", "--all-tags", name, shows=False)
    run("object", "delete", name, "o2", shows=False)
    run("property", "delete", name, "q", shows=False)
    run("namespace", "delete", name, shows=False)
    with pytest.raises(RuntimeError, match="404|No Namespace|not found"):
        run("namespace", "show", name)


def test_a_life_with_glance(open_deployment):
    client = GlanceCommand(open_deployment, "admin")

    def table(command, *arguments):
        return dict(row[:2] for row in client.table(command, *arguments))

    name = "Client::Glance"
    assert table("md-namespace-create", "--visibility", "public", "--description", "d", name)["visibility"] == "public"
    assert table("md-namespace-update", "--display-name", "e", name)["display_name"] == "e"
    schema = '{"title": "t", "type": "string"}'
    client.run("md-property-create", "--name", "p", "--title", "t", "--type", "string", "--schema", schema, name)
    client.run("md-property-update", "--name", "q", "--title", "u", name, "p")
    assert table("md-property-show", name, "q")["title"] == "u"
    assert [row[0] for row in client.table("md-property-list", name)] == ["q"]
    objects = json.dumps({"name": "o", "required": ["p"], "properties": {"p": DEFINITION}})
    client.run("md-object-create", "--name", "o", "--schema", objects, name)
    assert table("md-object-property-show", name, "o", "p")["title"] == "T"
    client.run("md-object-update", "--name", "o2", name, "o")
    assert table("md-object-show", name, "o2")["name"] == "o2"
    assert "o2" in client.run("md-object-list", name)
    # Without --append: the client fails by itself at the header that it would send.
    client.run("md-tag-create-multiple", "--names", "two,three", "--delim", ",", name)
    client.run("md-tag-create", "--name", "one", name)
    client.run("md-tag-update", "--name", "four", name, "one")
    assert table("md-tag-show", name, "four")["name"] == "four"
    assert {row[0] for row in client.table("md-tag-list", name)} == {"two", "three", "four"}
    client.run("md-tag-delete", name, "two")
    client.run("md-resource-type-associate", "--name", "OS::Glance::Image", "--prefix", "x_", name)
    assert "x_" in client.run("md-namespace-resource-type-list", name)
    assert "OS::Glance::Image" in client.run("md-resource-type-list")
    assert "x_q" in client.run("md-namespace-show", "--resource-type", "OS::Glance::Image", name)
    client.run("md-resource-type-deassociate", name, "OS::Glance::Image")
    assert name in client.run("md-namespace-list")
    for kind in ("tags", "objects", "properties"):
        client.run(f"md-namespace-{kind}-delete", name)
    client.run("md-namespace-delete", name)
    with pytest.raises(RuntimeError, match="404"):
        client.run("md-namespace-show", name)
    file = CATALOGUE / "compute-watchdog.json"
    assert "OS::Compute::Watchdog" in client.run("md-namespace-import", "--file", file)


# --- glance-manage ----------------------------------------------------------------------------------------------------


def test_the_catalogue_is_loaded_exported_and_loaded_again(deployments, tmp_path):
    deployment = deployments.prepare(auth="trusted_headers")
    deployment.options = {"registry": {"DEFAULT": [f"metadata_source_path = {CATALOGUE}/"]}}
    deployment.start()
    admin = Actor(deployment, "admin")

    def manage(*arguments):
        command = [PROGRAMS / "glance-manage", "--config-file", deployment.registry_configuration, *arguments]
        result = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert result.returncode == 0, result.stderr
        return result

    def catalogue():
        """Everything but what differs from one load to the next."""
        page = admin("GET", "?limit=1000&sort_key=namespace&sort_dir=asc")
        text = json.dumps([admin("GET", f"/{each['namespace']}") for each in page["namespaces"]])
        changing = ("created_at", "updated_at")
        return json.loads(text, object_hook=lambda fields: {k: v for k, v in fields.items() if k not in changing})

    assert manage("db", "load_metadefs").stdout.strip() == "Namespaces: 33 added."
    loaded = catalogue()
    assert len(loaded) == 33
    assert {each["owner"] for each in loaded} == {"admin"}
    assert Actor(deployment, "reader")("GET", "/OS::Compute::Watchdog")["protected"] is True
    assert "33 left alone" in manage("db", "load_metadefs").stdout
    assert "33 merged" in manage("db", "load_metadefs", "--merge").stdout
    assert "33 merged" in manage("db", "load_metadefs", "--merge", "--prefer_new").stdout
    assert catalogue() == loaded
    manage("db", "export_metadefs", "--path", str(tmp_path))
    files = sorted(tmp_path.glob("*.json"))
    assert len(files) == 33
    assert "Watchdog.json" in {file.name for file in files}
    assert "owner" not in json.loads(files[0].read_text())
    assert manage("db", "unload_metadefs").stdout.strip() == "Namespaces: 33 deleted."
    assert catalogue() == []
    assert "33 added" in manage("db", "load_metadefs", "--path", str(tmp_path)).stdout
    assert catalogue() == loaded
    one = tmp_path / "one.json"
    one.write_text(json.dumps({"namespace": "OS::Compute::Watchdog", "display_name": "mine"}))
    assert "1 replaced" in manage("db_load_metadefs", str(one), "yes", "", "yes").stdout
    assert "properties" not in admin("GET", "/OS::Compute::Watchdog")
    # What is wrong with files or words is told, and nothing else happens.
    assert "exclude each other" in manage("db", "load_metadefs", "--merge", "--prefer_new", "--overwrite").stderr
    assert "need --merge" in manage("db", "load_metadefs", "--overwrite").stderr
    assert "No such file" in manage("db", "load_metadefs", "--path", str(tmp_path / "none")).stderr
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "holds no file" in manage("db", "load_metadefs", "--path", str(empty)).stderr
    (empty / "broken.json").write_text("{")
    (empty / "good.json").write_text('{"namespace": "Good"}')
    result = manage("db", "load_metadefs", "--path", str(empty))
    assert "is not JSON" in result.stderr
    assert result.stdout.strip() == "Namespaces: 1 added."
    assert admin("GET", "/Good")["visibility"] == "private"


# --- images and their definitions -------------------------------------------------------------------------------------

PATCH = {"Content-Type": "application/openstack-images-v2.1-json-patch"}


def set_property(actor, image, name, value, status=200):
    change = [{"op": "add", "path": f"/{name}", "value": value}]
    return actor("PATCH", f"/v2/images/{image}", status, data=json.dumps(change), headers=PATCH)


@pytest.mark.parametrize("mode", ["off", "values", "all"])
def test_properties_of_images_are_held_to_the_definitions(deployments, mode):
    deployment = deployments.prepare(auth="trusted_headers", options={"api": {"metadefs": [f"check_properties = {mode}"]}})
    deployment.start()
    deployment.manage("db", "load_metadefs", "--path", str(CATALOGUE))
    actor = Actor(deployment, "member")
    refusals = {"off": (201, 201), "values": (400, 201), "all": (400, 400)}
    for body, status in zip(({"hw_cpu_sockets": "none"}, {"nobodys": "x"}), refusals[mode], strict=True):
        answer = actor("POST", "/v2/images", status, json=body)
        if status == 400:
            assert next(iter(body)) in answer.text
    good = {"hw_cpu_sockets": "2", "hw_disk_bus": "virtio", "owner_specified.x": "y", "os_distro": "debian"}
    image = actor("POST", "/v2/images", 201, json=good)["id"]
    invalid, unknown = (200 if status == 201 else 400 for status in refusals[mode])
    set_property(actor, image, "hw_disk_bus", "carrier pigeon", invalid)
    set_property(actor, image, "hw_disk_bus", "scsi")
    set_property(actor, image, "nobodys", "x", unknown)
    check = actor("GET", f"/v2/metadefs/os_glance_check?image={image}")
    assert check["image_id"] == image
    assert [each["property"] for each in check["problems"]] == ([] if unknown == 400 else ["nobodys"])


def test_an_image_is_checked_on_demand(deployments):
    deployment = deployments.start(auth="trusted_headers")
    deployment.manage("db", "load_metadefs", "--path", str(CATALOGUE))
    actor = Actor(deployment, "member")
    image = actor("POST", "/v2/images", 201, json={"hw_cpu_cores": "0", "hw_watchdog_action": "reset", "x": "y"})["id"]
    path = "/v2/metadefs/os_glance_check"
    problems = actor("GET", f"{path}?image={image}")["problems"]
    assert problems == [
        {
            "property": "hw_cpu_cores",
            "problem": "invalid",
            "message": "The property must be at least 1.",
            "namespaces": ["OS::Compute::VirtCPUTopology"],
        },
        {
            "property": "x",
            "problem": "unknown",
            "message": "The property is defined by no namespace of the metadata definitions.",
            "namespaces": [],
        },
    ]
    Actor(deployment, "other")("GET", f"{path}?image={image}", 404)
    actor("GET", f"{path}?image=none", 404)
    actor("GET", path, 400)
    actor("GET", f"{path}?image={image}", 400, data=b"{}")
    # Who may not see the definitions knows no property.
    own = {"namespace": "Secret", "properties": {"x": DEFINITION}, "resource_type_associations": [{"name": "OS::Glance::Image"}]}
    Actor(deployment, "admin")("POST", "", 201, json=own)
    assert len(actor("GET", f"{path}?image={image}")["problems"]) == 2
    set_property(actor, image, "hw_cpu_cores", "4")
    assert [each["property"] for each in actor("GET", f"{path}?image={image}")["problems"]] == ["x"]
