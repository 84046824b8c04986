"""The whole life of a namespace with each stock client's commands, whatever they log in with."""

import json

import pytest

from metadefs import CATALOGUE, DEFINITION


def walk_with_openstack(client, api, name):
    """All of `openstack image metadef …`. `api` is an Actor of the same user: no command gives an object properties."""

    def run(*arguments, shows=True):
        text = client.run("image", "metadef", *arguments, *(["-f", "json"] if shows else []))
        return json.loads(text) if shows else text

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
    api("PUT", f"/{name}/objects/o2", json={"name": "o2", "properties": {"r": DEFINITION}})
    shown = run("object", "property", "show", name, "o2", "r")
    assert (shown["name"], shown["title"]) == ("r", DEFINITION["title"])
    run("resource", "type", "association", "create", name, "OS::Glance::Image")
    assert len(run("resource", "type", "association", "list", name)) == 1
    assert "OS::Glance::Image" in json.dumps(run("resource", "type", "list"))
    run("resource", "type", "association", "delete", name, "OS::Glance::Image", shows=False)
    assert name in {row["namespace"] for row in run("namespace", "list")}
    run("namespace", "unset", "--tag", "one", name, shows=False)
    assert [tag["name"] for tag in api("GET", f"/{name}/tags")["tags"]] == ["two"]
    run("namespace", "unset", "--all-tags", name, shows=False)
    run("object", "delete", name, "o2", shows=False)
    run("property", "delete", name, "q", shows=False)
    run("namespace", "delete", name, shows=False)
    with pytest.raises(RuntimeError, match="404|No Namespace|not found"):
        run("namespace", "show", name)


def walk_with_glance(client, name):
    """All of `glance md-…`."""

    def table(command, *arguments):
        return dict(row[:2] for row in client.table(command, *arguments))

    assert table("md-namespace-create", "--visibility", "public", "--description", "d", name)["visibility"] == "public"
    assert table("md-namespace-update", "--display-name", "e", name)["display_name"] == "e"
    schema = '{"title": "t", "type": "string"}'
    for made in ("p", "gone"):
        client.run("md-property-create", "--name", made, "--title", "t", "--type", "string", "--schema", schema, name)
    client.run("md-property-delete", name, "gone")
    client.run("md-property-update", "--name", "q", "--title", "u", name, "p")
    assert table("md-property-show", name, "q")["title"] == "u"
    assert [row[0] for row in client.table("md-property-list", name)] == ["q"]
    for made in ("o", "gone"):
        definition = json.dumps({"name": made, "required": ["p"], "properties": {"p": DEFINITION}})
        client.run("md-object-create", "--name", made, "--schema", definition, name)
    client.run("md-object-delete", name, "gone")
    assert table("md-object-property-show", name, "o", "p")["title"] == "T"
    client.run("md-object-update", "--name", "o2", name, "o")
    assert table("md-object-show", name, "o2")["name"] == "o2"
    listed = client.run("md-object-list", name)
    assert "o2" in listed and "gone" not in listed
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
