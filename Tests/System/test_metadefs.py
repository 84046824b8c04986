"""The catalogue of metadata definitions by hand: every endpoint of `/v2/metadefs`, and what each refuses."""

import json

import pytest

from metadefs import BASE, DEFINITION, Actor
from services import User

SCALARS = {"namespace", "visibility", "self", "schema", "protected", "owner", "created_at", "updated_at"}


@pytest.fixture(scope="module")
def deployment(shared_deployments):
    deployment = shared_deployments.prepare(auth="trusted_headers")
    deployment.users["roleless"] = User("roleless", "demo", "unrelated")
    return deployment.start()


@pytest.fixture
def as_user(deployment):
    return lambda user: Actor(deployment, user)


@pytest.fixture
def admin(as_user):
    return as_user("admin")


@pytest.fixture
def namespace(admin, request):
    """A new namespace with something of each kind; its name is the test's, and it is gone afterwards."""
    name = request.node.name.replace("/", "-")[:70]
    body = {
        "namespace": name,
        "visibility": "public",
        "resource_type_associations": [{"name": "OS::Glance::Image", "prefix": "acme_"}],
        "properties": {"disk_class": {**DEFINITION, "enum": ["gold", "tin"], "default": 1}},
        "objects": [{"name": "limits", "required": ["iops"], "properties": {"iops": {"title": "I", "type": "integer"}}}],
        "tags": [{"name": "storage"}],
    }
    admin("POST", "", 201, json=body)
    yield name
    admin("PUT", f"/{name}", json={"namespace": name})
    admin("DELETE", f"/{name}", 204)


# --- the life of a namespace ------------------------------------------------------------------------------------------


def test_the_life_of_a_namespace(admin):
    admin("GET", "/Life::One", 404)
    created = admin("POST", "", 201, json={"namespace": "Life::One", "display_name": "d", "description": "e"})
    assert created.keys() == SCALARS | {"display_name", "description"}
    assert (created["visibility"], created["protected"], created["owner"]) == ("private", False, "admin")
    assert created["self"] == f"{BASE}/Life::One"
    assert created["schema"] == "/v2/schemas/metadefs/namespace"
    assert "already exists" in admin("POST", "", 409, json={"namespace": "Life::One"}).text
    assert admin("GET", "/Life::One") == created
    change = {"namespace": "Life::Two", "protected": True, "owner": "somebody", "visibility": "public"}
    changed = admin("PUT", "/Life::One", json=change)
    assert changed.keys() == SCALARS
    assert {name: changed[name] for name in change} == change
    admin("GET", "/Life::One", 404)
    assert "is protected and cannot be deleted" in admin("DELETE", "/Life::Two", 403).text
    again = admin("PUT", "/Life::Two", json={"namespace": "Life::Two"})
    assert (again["protected"], again["owner"], again["visibility"]) == (False, "admin", "private")
    admin("DELETE", "/Life::Two", 204)
    admin("GET", "/Life::Two", 404)


def test_a_location_leads_to_what_was_created(admin):
    answer = admin.session.post(admin.url + BASE, json={"namespace": "A b::é"}, timeout=30)
    assert answer.headers["Location"] == f"{admin.url}{BASE}/A%20b::%C3%A9"
    assert admin.session.get(answer.headers["Location"], timeout=30).json()["namespace"] == "A b::é"
    admin("DELETE", "/A b::é", 204)


def test_all_of_a_namespace_or_nothing(admin):
    for part in (
        {"objects": [{"name": "a"}, {"name": "a"}]},
        {"tags": [{"name": "a"}, {"name": "a"}]},
        {"resource_type_associations": [{"name": "a"}, {"name": "a"}]},
    ):
        admin("POST", "", 409, json={"namespace": "Half", "properties": {"p": DEFINITION}, **part})
        admin("GET", "/Half", 404)
    admin("POST", "", 400, json={"namespace": "Half", "tags": [{"name": "\U0001f600"}]})
    admin("GET", "/Half", 404)


def test_what_it_holds(admin, namespace):
    whole = admin("GET", f"/{namespace}")
    assert whole["properties"] == {"disk_class": {**DEFINITION, "enum": ["gold", "tin"], "default": "1"}}
    assert whole["tags"] == [{"name": "storage"}]
    assert whole["objects"] == [admin("GET", f"/{namespace}/objects/limits")]
    assert whole["resource_type_associations"][0].keys() == {"name", "prefix", "created_at", "updated_at"}
    prefixed = admin("GET", f"/{namespace}?resource_type=OS::Glance::Image")
    assert prefixed["properties"].keys() == {"acme_disk_class"}
    assert prefixed["objects"][0]["properties"].keys() == {"acme_iops"}
    assert prefixed["objects"][0]["required"] == ["acme_iops"]
    assert admin("GET", f"/{namespace}?resource_type=Other&foo=bar") == whole
    admin("DELETE", f"/{namespace}/properties", 204)
    admin("DELETE", f"/{namespace}/objects", 204)
    admin("DELETE", f"/{namespace}/tags", 204)
    assert admin("GET", f"/{namespace}").keys() == SCALARS | {"resource_type_associations"}


# --- its parts --------------------------------------------------------------------------------------------------------


def test_properties(admin, namespace):
    path = f"/{namespace}/properties"
    body = {"name": "p", **DEFINITION, "description": "d", "default": 100, "minimum": 1, "maximum": 9, "readonly": False}
    assert admin("POST", path, 201, json=body) == {**body, "default": "100"}
    admin("POST", path, 409, json=body)
    assert admin("GET", f"{path}/p") == {**body, "default": "100"}
    assert admin("GET", path)["properties"].keys() == {"disk_class", "p"}
    with_type = "?resource_type=OS::Glance::Image"
    assert admin("GET", f"{path}/acme_disk_class{with_type}")["name"] == "disk_class"
    assert "expected resource type association prefix" in admin("GET", f"{path}/disk_class{with_type}", 404).text
    admin("GET", f"{path}/acme_none{with_type}", 404)
    admin("GET", f"{path}/acme_disk_class?resource_type=Other", 404)
    admin("GET", f"{path}/acme_disk_class?foo=bar", 404)
    assert admin("PUT", f"{path}/p", json={"name": "q", **DEFINITION}) == {"name": "q", **DEFINITION}
    admin("PUT", f"{path}/q", 409, json={"name": "disk_class", **DEFINITION})
    admin("PUT", f"{path}/p", 404, json={"name": "p", **DEFINITION})
    admin("DELETE", f"{path}/q", 204)
    admin("DELETE", f"{path}/q", 404)


def test_objects(admin, namespace):
    path = f"/{namespace}/objects"
    body = {"name": "o", "description": "d", "required": ["p"], "properties": {"p": DEFINITION}}
    created = admin("POST", path, 201, json=body)
    assert created.keys() == body.keys() | {"self", "schema", "created_at", "updated_at"}
    assert created["self"] == f"{BASE}{path}/o"
    admin("POST", path, 409, json=body)
    assert admin("GET", f"{path}/o") == created
    listed = admin("GET", f"{path}?limit=1&sort_dir=asc&visibility=shared&marker=x")
    assert [each["name"] for each in listed["objects"]] == ["limits", "o"]
    assert listed["schema"] == "v2/schemas/metadefs/objects"
    for wrong in ("limit=0", "limit=x", "sort_dir=up", "visibility=some"):
        admin("GET", f"{path}?{wrong}", 400)
    changed = admin("PUT", f"{path}/o", json={"name": "renamed"})
    assert (changed["required"], changed["properties"], changed["self"]) == ([], {}, f"{BASE}{path}/renamed")
    admin("PUT", f"{path}/renamed", 409, json={"name": "limits"})
    admin("PUT", f"{path}/o", 404, json={"name": "o"})
    admin("DELETE", f"{path}/renamed", 204)
    admin("DELETE", f"{path}/renamed", 404)


def test_tags(admin, namespace):
    path = f"/{namespace}/tags"

    def names(query=""):
        return [tag["name"] for tag in admin("GET", path + query)["tags"]]

    def tags(*names):
        return {"tags": [{"name": name} for name in names]}

    assert admin("POST", path, 201, json=tags("c", "a", "b")) == tags("c", "a", "b")
    assert names("?sort_key=name&sort_dir=asc") == ["a", "b", "c"]
    admin("POST", path, 409, json=tags("d", "d"))
    assert len(names()) == 3
    for word in ("True", "1", "yes"):
        added = f"x{word}"
        assert admin("POST", path, 201, json=tags(added), headers={"X-Openstack-Append": word}) == tags(added)
    admin("POST", path, 409, json=tags("new", "a"), headers={"X-Openstack-Append": "true"})
    assert len(names()) == 6
    assert admin("POST", path, 201, json=tags()) == tags()
    assert len(names()) == 6
    ordered = names("?sort_key=name&sort_dir=asc")
    assert names("?sort_key=name&sort_dir=asc&limit=2&marker=a") == ordered[1:3]
    assert names("?limit=0") == []
    admin("GET", f"{path}?marker=none", 404)
    for wrong in ("limit=-1", "sort_key=x", "sort_dir=up", "visibility=some"):
        admin("GET", f"{path}?{wrong}", 400)
    assert admin("POST", f"{path}/one", 201).keys() == {"name", "created_at", "updated_at"}
    admin("POST", f"{path}/one", 409)
    admin("POST", f"{path}/{'x' * 81}", 400)
    assert admin("PUT", f"{path}/one", json={"name": "two"})["name"] == "two"
    admin("PUT", f"{path}/two", 409, json={"name": "a"})
    admin("PUT", f"{path}/one", 404, json={"name": "one"})
    assert admin("GET", f"{path}/two")["name"] == "two"
    admin("DELETE", f"{path}/two", 204)
    admin("GET", f"{path}/two", 404)
    admin("DELETE", f"{path}/two", 404)
    assert admin("POST", path, 201, json=tags("only")) == tags("only")
    assert names() == ["only"]


def test_resource_types(admin, namespace):
    path = f"/{namespace}/resource_types"
    body = {"name": "Acme::Thing", "prefix": "t_", "properties_target": "image"}
    created = admin("POST", path, 201, json=body)
    assert created.keys() == body.keys() | {"created_at", "updated_at"}
    admin("POST", path, 409, json=body)
    assert admin("GET", path)["resource_type_associations"][1] == created
    admin("DELETE", f"{path}/Acme::Thing", 204)
    admin("DELETE", f"{path}/Acme::Thing", 404)
    admin("DELETE", f"{path}/OS::Glance::Image", 204)
    assert admin("GET", path) == {"resource_type_associations": []}
    types = admin("GET", "/v2/metadefs/resource_types")["resource_types"]
    assert {"OS::Glance::Image", "Acme::Thing"} <= {each["name"] for each in types}
    assert all(each.keys() == {"name", "created_at", "updated_at"} for each in types)


# --- lists ------------------------------------------------------------------------------------------------------------


def test_pages(admin):
    made = [f"Page::{letter}" for letter in "abcde"]
    for name in made:
        types = [{"name": "Page::Type"}] if name != "Page::c" else []
        admin("POST", "", 201, json={"namespace": name, "resource_type_associations": types})
    query = "?resource_types=Page::Type,None&sort_key=namespace&sort_dir=asc&limit=2"
    page = admin("GET", query)
    assert page["first"] == f"{BASE}?resource_types=Page%3A%3AType%2CNone&sort_key=namespace&sort_dir=asc&limit=2"
    assert page["schema"] == "/v2/schemas/metadefs/namespaces"
    seen = [each["namespace"] for each in page["namespaces"]]
    assert page["next"] == page["first"] + "&marker=Page%3A%3Ab"
    assert page["namespaces"][0]["resource_type_associations"][0]["name"] == "Page::Type"
    while "next" in page:
        page = admin("GET", page["next"])
        seen += [each["namespace"] for each in page["namespaces"]]
    assert seen == ["Page::a", "Page::b", "Page::d", "Page::e"]
    assert admin("GET", "?limit=0") == {"namespaces": [], "first": f"{BASE}?limit=0", "schema": page["schema"]}
    assert admin("GET", "?resource_types=None")["namespaces"] == []
    for wrong in ("limit=-1", "limit=abc", "sort_key=colour", "sort_dir=up", "visibility=shared"):
        admin("GET", f"?{wrong}", 400)
    admin("GET", "?marker=Page::none", 404)
    for name in made:
        admin("DELETE", f"/{name}", 204)


# --- who may what -----------------------------------------------------------------------------------------------------

# Every endpoint under a namespace: method, path, body, and the status that an administrator gets.
ENDPOINTS = [
    ("GET", "", None, 200),
    ("PUT", "", {"namespace": "NAMESPACE", "visibility": "VISIBILITY", "owner": "admin"}, 200),
    ("GET", "/properties", None, 200),
    ("POST", "/properties", {"name": "new", **DEFINITION}, 201),
    ("GET", "/properties/disk_class", None, 200),
    ("PUT", "/properties/disk_class", {"name": "disk_class", **DEFINITION}, 200),
    ("DELETE", "/properties/disk_class", None, 204),
    ("DELETE", "/properties", None, 204),
    ("GET", "/objects", None, 200),
    ("POST", "/objects", {"name": "new"}, 201),
    ("GET", "/objects/limits", None, 200),
    ("PUT", "/objects/limits", {"name": "limits"}, 200),
    ("DELETE", "/objects/limits", None, 204),
    ("DELETE", "/objects", None, 204),
    ("GET", "/tags", None, 200),
    ("POST", "/tags", {"tags": [{"name": "storage"}]}, 201),
    ("GET", "/tags/storage", None, 200),
    ("POST", "/tags/new", None, 201),
    ("PUT", "/tags/storage", {"name": "storage"}, 200),
    ("DELETE", "/tags/storage", None, 204),
    ("DELETE", "/tags", None, 204),
    ("GET", "/resource_types", None, 200),
    ("POST", "/resource_types", {"name": "New"}, 201),
    ("DELETE", "/resource_types/OS::Glance::Image", None, 204),
]


@pytest.mark.parametrize("visibility", ["public", "private"])
def test_every_endpoint_knows_who_asks(as_user, admin, namespace, visibility):
    admin("PUT", f"/{namespace}", json={"namespace": namespace, "visibility": visibility})
    for method, path, body, granted in ENDPOINTS:
        body = json.loads(json.dumps(body).replace("NAMESPACE", namespace).replace("VISIBILITY", visibility))
        reads = method == "GET"
        for user in ("member", "reader"):
            status = 404 if visibility == "private" else 200 if reads else 403
            as_user(user)(method, f"/{namespace}{path}", status, json=body)
        as_user("roleless")(method, f"/{namespace}{path}", 404, json=body)
        as_user("member")(method, f"/none{path}", 404, json=body)
        admin(method, f"/none{path}", 404, json=body)
        admin(method, f"/{namespace}{path}", granted, json=body)


def test_the_endpoints_above_namespaces_know_who_asks(as_user):
    for path in ("", "/v2/metadefs/resource_types"):
        as_user("reader")("GET", path)
        as_user("roleless")("GET", path, 404)
    as_user("member")("POST", "", 403, json={"namespace": "No"})
    as_user("roleless")("POST", "", 404, json={"namespace": "No"})


def test_a_project_sees_its_own_and_the_public_ones(as_user, admin):
    for project in ("demo", "other"):
        for visibility in ("public", "private"):
            body = {"namespace": f"Seen::{project}::{visibility}", "owner": project, "visibility": visibility}
            admin("POST", "", 201, json=body)
    for user, project, stranger in (("member", "demo", "other"), ("other", "other", "demo")):
        actor = as_user(user)
        listed = {each["namespace"] for each in actor("GET", "?limit=1000")["namespaces"]}
        seen = {f"Seen::{project}::public", f"Seen::{project}::private", f"Seen::{stranger}::public"}
        assert {name for name in listed if name.startswith("Seen::")} == seen
        for name in seen:
            actor("GET", f"/{name}")
            actor("DELETE", f"/{name}", 403)
        actor("GET", f"/Seen::{stranger}::private", 404)
        actor("DELETE", f"/Seen::{stranger}::private", 404)
        only = actor("GET", "?visibility=private")["namespaces"]
        assert {each["namespace"] for each in only} == {f"Seen::{project}::private"}
    for project in ("demo", "other"):
        for visibility in ("public", "private"):
            admin("DELETE", f"/Seen::{project}::{visibility}", 204)


def test_protection_is_for_administrators_too(admin, namespace):
    admin("PUT", f"/{namespace}", json={"namespace": namespace, "protected": True})
    for method, path, body, _ in ENDPOINTS:
        if method == "DELETE":
            assert "protected" in admin(method, f"/{namespace}{path}", 403, json=body).text
    admin("DELETE", f"/{namespace}/tags/none", 404)
    admin("POST", f"/{namespace}/tags/more", 201)
    admin("PUT", f"/{namespace}/tags/more", json={"name": "most"})


# --- what is wrong with a request -------------------------------------------------------------------------------------


def test_bodies_that_are_missing_or_not_expected(admin, namespace):
    for method, path, body, _ in ENDPOINTS:
        if method in ("POST", "PUT") and body:
            assert "Body expected in request." in admin(method, f"/{namespace}{path}", 400).text
            admin(method, f"/{namespace}{path}", 400, data=b"{")
            admin(method, f"/{namespace}{path}", 400, json=[])
    unexpected = [
        ("GET", ""), ("DELETE", ""), ("GET", "/properties"), ("GET", "/objects/limits"), ("DELETE", "/objects/limits"),
        ("GET", "/tags/storage"), ("POST", "/tags/new"), ("DELETE", "/tags/storage"), ("GET", "/resource_types"),
        ("DELETE", "/resource_types/OS::Glance::Image"),
    ]  # fmt: skip
    for method, path in unexpected:
        refusal = admin(method, f"/{namespace}{path}", 400, data=b"{}")
        assert "A body is not expected with this request." in refusal.text, (method, path)


def test_values_that_break_a_rule_are_named(admin, namespace):
    long = "x" * 81
    cases = [
        ("POST", "/properties", {"name": long, **DEFINITION}, 400, "name"),
        ("POST", "/properties", {"name": "p", "title": "t"}, 400, "type"),
        ("POST", "/properties", {"name": "p", **DEFINITION, "type": "text"}, 400, "type"),
        ("POST", "/properties", {"name": "p", **DEFINITION, "colour": 1}, 400, "colour"),
        ("POST", "/properties", {"name": "\U0001f600", **DEFINITION}, 400, "4 byte"),
        ("POST", "/properties", {"name": "p", **DEFINITION, "created_at": "x"}, 403, "created_at"),
        ("POST", "/objects", {"name": long}, 400, "name"),
        ("POST", "/objects", {"name": "o", "properties": {"p": {"title": "t"}}}, 400, "properties.p.type"),
        ("POST", "/objects", {"name": "o", "self": "x"}, 403, "self"),
        ("POST", "/tags", {"tags": [{"name": long}]}, 400, "tags[0].name"),
        ("POST", "/tags", {"tags": [{}]}, 400, "tags[0].name"),
        ("PUT", "/tags/storage", {"name": long}, 400, "name"),
        ("PUT", "/tags/storage", {"name": "a", "updated_at": "x"}, 403, "updated_at"),
        ("POST", "/resource_types", {"name": long}, 400, "name"),
        ("POST", "/resource_types", {"name": "r", "colour": 1}, 400, "colour"),
        ("PUT", "", {"namespace": long}, 400, "namespace"),
        ("PUT", "", {"namespace": "n", "description": "x" * 501}, 400, "description"),
        ("PUT", "", {"namespace": "n", "schema": "x"}, 403, "schema"),
    ]
    for method, path, body, status, word in cases:
        assert word in admin(method, f"/{namespace}{path}", status, json=body).text, (method, path, body)


def test_methods_and_schemas(admin, namespace):
    names = ("namespace", "resource_type", "property", "object", "tag")
    plurals = ("namespaces", "resource_types", "properties", "objects", "tags")
    for name in (*names, *plurals):
        path = f"/v2/schemas/metadefs/{name}"
        assert admin("GET", path)["name"].split("_association")[0] in (name, name.removesuffix("s"))
        assert admin("POST", path, 405).headers["Allow"] == "GET"
        admin("GET", path, 400, data=b"{}")
    assert admin("PATCH", f"/{namespace}", 405).headers["Allow"] == "GET, PUT, DELETE"
    assert admin("GET", f"/{namespace}/resource_types/x", 405).headers["Allow"] == "DELETE"
