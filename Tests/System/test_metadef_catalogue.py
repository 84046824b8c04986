"""The catalogue of metadata definitions with stock clients and `glance-manage db …`, and what images make of it."""

import json
import subprocess
import time

import pytest

from clients import GlanceCommand, OpenStackCommand
from metadef_walks import walk_with_glance, walk_with_openstack
from metadefs import CATALOGUE, DEFINITION, Actor
from services import PROGRAMS


@pytest.fixture(scope="module")
def open_deployment(shared_deployments):
    """Where everybody is an administrator: what the clients' commands want."""
    return shared_deployments.start(auth="noauth")


# --- stock clients ----------------------------------------------------------------------------------------------------


def test_a_life_with_openstack(open_deployment):
    api = Actor(open_deployment, "admin")
    walk_with_openstack(OpenStackCommand(open_deployment, "admin"), api, "Client::OpenStack")


def test_a_life_with_glance(open_deployment):
    walk_with_glance(GlanceCommand(open_deployment, "admin"), "Client::Glance")


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
    older = tmp_path / "older"
    older.mkdir()
    assert "33 written" in manage("db_export_metadefs", str(older)).stdout
    assert len(list(older.glob("*.json"))) == 33
    assert "33 deleted" in manage("db_unload_metadefs").stdout
    assert "33 added" in manage("db_load_metadefs", str(older)).stdout
    assert manage("db_version").stdout == manage("db", "version").stdout
    assert "0 row(s) removed" in manage("db_purge", "30", "-1").stdout
    # What is wrong with files or words is told, and nothing else happens.
    assert "exclude each other" in manage("db", "load_metadefs", "--merge", "--prefer_new", "--overwrite").stderr
    assert "need --merge" in manage("db", "load_metadefs", "--overwrite").stderr
    assert "No such file" in manage("db", "load_metadefs", "--path", str(tmp_path / "none")).stderr
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "holds no file" in manage("db", "load_metadefs", "--path", str(empty)).stderr
    (empty / "odd.json").write_text('{"namespace": "odd", "tags": ["x"]}')
    odd = manage("db", "load_metadefs", "--path", str(empty))
    assert "odd.json has no name in 'tags', number 1" in odd.stderr and "1 added" in odd.stdout
    (empty / "odd.json").unlink()
    (empty / "broken.json").write_text("{")
    (empty / "good.json").write_text('{"namespace": "Good"}')
    result = manage("db", "load_metadefs", "--path", str(empty))
    assert "is not JSON" in result.stderr
    assert result.stdout.strip() == "Namespaces: 1 added."
    assert admin("GET", "/Good")["visibility"] == "private"


CONFLICTING = {
    "namespace": "Mixed",
    "display_name": "new",
    "visibility": "public",
    "resource_type_associations": [{"name": "A", "prefix": "new_"}, {"name": "B"}],
    "properties": {"p": {"title": "new", "type": "integer"}, "q": {"title": "new", "type": "string"}},
    "objects": [
        {"name": "o", "description": "new", "properties": {"x": {"title": "new", "type": "string"}}},
        {"name": "n", "properties": {}},
    ],
    "tags": [{"name": "t"}, {"name": "new"}],
}
PRESENT = {
    "namespace": "Mixed",
    "display_name": "old",
    "resource_type_associations": [{"name": "A", "prefix": "old_"}, {"name": "C"}],
    "properties": {"p": {"title": "old", "type": "string"}, "r": {"title": "old", "type": "string"}},
    "objects": [{"name": "o", "description": "old", "properties": {"y": {"title": "old", "type": "string"}}}],
    "tags": [{"name": "t"}, {"name": "old"}],
}


@pytest.mark.parametrize(
    "words, wins, properties, types, objects, tags",
    [
        ([], "old", "p r", "A C", "o", "old t"),
        (["--merge"], "old", "p q r", "A B C", "n o", "new old t"),
        (["--merge", "--prefer_new"], "new", "p q r", "A B C", "n o", "new old t"),
        (["--merge", "--overwrite"], "new", "p q", "A B", "n o", "new t"),
    ],
)
def test_what_is_there_and_what_a_file_says_may_differ(
    deployments, tmp_path, words, wins, properties, types, objects, tags
):
    deployment = deployments.start(auth="trusted_headers")
    admin = Actor(deployment, "admin")
    admin("POST", "", 201, json=PRESENT)
    file = tmp_path / "mixed.json"
    file.write_text(json.dumps(CONFLICTING))
    deployment.manage("db", "load_metadefs", "--path", str(file), *words)
    found = admin("GET", "/Mixed")
    parts = {part: {each["name"]: each for each in found[part]} for part in ("resource_type_associations", "objects", "tags")}
    associations, groups = parts["resource_type_associations"], parts["objects"]
    assert found["display_name"] == wins
    assert found["visibility"] == {"old": "private", "new": "public"}[wins]
    assert associations["A"]["prefix"] == f"{wins}_"
    assert found["properties"]["p"]["title"] == wins
    assert groups["o"]["description"] == wins
    assert list(groups["o"]["properties"]) == [{"old": "y", "new": "x"}[wins]]
    names = [" ".join(sorted(part)) for part in (found["properties"], associations, groups, parts["tags"])]
    assert names == [properties, types, objects, tags]


@pytest.mark.parametrize("words", [[], ["--merge"], ["--merge", "--prefer_new"], ["--merge", "--overwrite"]])
def test_several_loaders_at_once(deployments, words):
    deployment = deployments.start(auth="trusted_headers")
    command = [PROGRAMS / "glance-manage", "--config-file", deployment.registry_configuration]
    command += ["db", "load_metadefs", "--path", str(CATALOGUE), *words]
    loaders = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)
    ]
    told = [(*loader.communicate(timeout=120), loader.returncode) for loader in loaders]
    assert [code for *_, code in told] == [0, 0, 0], told
    assert not any(stderr for _, stderr, _ in told), told
    admin = Actor(deployment, "admin")
    assert len(admin("GET", "?limit=1000")["namespaces"]) == 33
    for file in CATALOGUE.glob("*.json"):
        wanted = json.loads(file.read_text())
        found = admin("GET", f"/{wanted['namespace']}")
        for part in ("properties", "objects", "resource_type_associations"):
            assert len(found.get(part, [])) == len(wanted.get(part, [])), (file, part)


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
    good |= {"hw_pmu": "false", "CIM_PASD_InstructionSetExtensionName": "<all-in> x86:AES x86:AVX"}
    image = actor("POST", "/v2/images", 201, json=good)["id"]
    invalid, unknown = (200 if status == 201 else 400 for status in refusals[mode])
    set_property(actor, image, "hw_disk_bus", "carrier pigeon", invalid)
    set_property(actor, image, "hw_disk_bus", "scsi")
    set_property(actor, image, "nobodys", "x", unknown)
    check = actor("GET", f"/v2/metadefs/os_glance_check?image={image}")
    assert check["image_id"] == image
    assert [each["property"] for each in check["problems"]] == ([] if unknown == 400 else ["nobodys"])


def test_a_pattern_keeps_nobody_waiting(deployments):
    """An expression and values that together would take minutes are refused, and others are answered meanwhile."""
    deployment = deployments.prepare(auth="trusted_headers", options={"api": {"metadefs": ["check_properties = values"]}})
    deployment.start()
    slow = {"title": "T", "type": "string", "pattern": "(.{0,200}){0,5}x$"}
    body = {"namespace": "Slow", "visibility": "public", "properties": {f"p{number}": slow for number in range(100)}}
    body["resource_type_associations"] = [{"name": "OS::Glance::Image"}]
    Actor(deployment, "admin")("POST", "", 201, json=body)
    actor = Actor(deployment, "member")
    began = time.monotonic()
    refused = actor("POST", "/v2/images", 400, json={"p1": "a" * 6_000})
    assert "'p1' is too long to be held to the pattern" in refused.json()["message"]
    actor("POST", "/v2/images", 400, json={f"p{number}": "a" * 400 + "x" for number in range(100)})
    assert actor("POST", "/v2/images", 201, json={"p1": "ax"})["p1"] == "ax"
    assert time.monotonic() - began < 30


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
