"""Metadata definitions under policies of an operator: what a rule withholds, and how."""

import json

import pytest

from metadefs import DEFINITION, Actor

PARTS = {
    "add_metadef_resource_type_association": {"resource_type_associations": [{"name": "OS::Glance::Image"}]},
    "add_metadef_object": {"objects": [{"name": "o", "properties": {"p": DEFINITION}}]},
    "add_metadef_property": {"properties": {"p": DEFINITION}},
    "add_metadef_tag": {"tags": [{"name": "t"}]},
}
NAME = "Under::Policy"


@pytest.fixture(scope="module")
def deployment(shared_deployments):
    options = {"api": {"DEFAULT": ["allow_anonymous_access = true"]}}
    return shared_deployments.start(auth="trusted_headers", options=options)


@pytest.fixture
def rules(deployment):
    """Sets the policy file; what it says is asked by the very next request."""
    file = deployment.directory / "policy.yaml"

    def put_in_place(**rules):
        new = file.with_name("new")
        new.write_text(json.dumps(rules))
        new.rename(file)

    yield put_in_place
    put_in_place()


@pytest.fixture
def admin(deployment):
    return Actor(deployment, "admin")


@pytest.fixture
def namespace(admin):
    body = {"namespace": NAME, "visibility": "public"}
    for part in PARTS.values():
        body |= part
    admin("POST", "", 201, json=body)
    yield NAME
    admin("DELETE", f"/{NAME}", 204)


@pytest.mark.parametrize("rule", PARTS)
def test_a_part_that_is_denied_denies_the_whole_namespace(rules, admin, rule):
    rules(**{rule: "!"})
    others = {"namespace": NAME}
    for name, part in PARTS.items():
        if name != rule:
            others |= part
    assert rule in admin("POST", "", 403, json={**others, **PARTS[rule]}).json()["message"]
    admin("GET", f"/{NAME}", 404)
    assert admin("POST", "", 201, json=others)["namespace"] == NAME
    admin("DELETE", f"/{NAME}", 204)
    # A part that is there and empty asks for nothing.
    empty = {name: type(value)() for name, value in PARTS[rule].items()}
    admin("POST", "", 201, json={"namespace": NAME, **empty})
    admin("DELETE", f"/{NAME}", 204)


@pytest.mark.parametrize("rule, path, key, single", [
    ("get_metadef_object", "/objects", "objects", "/objects/o"),
    ("get_metadef_resource_type", "/resource_types", "resource_type_associations", None),
])  # fmt: skip
def test_rules_of_single_parts_leave_lists_shorter(rules, deployment, namespace, rule, path, key, single):
    member = Actor(deployment, "member")
    assert len(member("GET", f"/{namespace}{path}")[key]) == 1
    rules(**{rule: "role:admin"})
    assert member("GET", f"/{namespace}{path}")[key] == []
    assert len(Actor(deployment, "admin")("GET", f"/{namespace}{path}")[key]) == 1
    if single:
        member("GET", f"/{namespace}{single}", 403)


def test_the_rule_of_a_resource_type_is_asked_for_prefixed_names(rules, deployment, namespace):
    rules(get_metadef_resource_type="role:admin")
    path = f"/{namespace}/properties/p?resource_type=OS::Glance::Image"
    Actor(deployment, "member")("GET", path, 403)


def test_the_rule_of_a_namespace_leaves_the_list_shorter(rules, deployment, namespace):
    member = Actor(deployment, "member")
    assert NAME in {each["namespace"] for each in member("GET", "")["namespaces"]}
    rules(get_metadef_namespace="role:admin")
    assert NAME not in {each["namespace"] for each in member("GET", "")["namespaces"]}
    member("GET", f"/{namespace}", 404)


def test_nobody_without_a_name_makes_a_namespace(rules, deployment, deployments):
    anonymous = Actor(deployment, "admin")
    for header in [name for name in anonymous.session.headers if name.startswith("X-")]:
        del anonymous.session.headers[header]
    # Whatever the rules say: whoever may only read is refused before.
    rules(add_metadef_namespace="@", get_metadef_namespace="@")
    anonymous("POST", "", 403, json={"namespace": "Nobodys"})
    Actor(deployment, "admin")("GET", "/Nobodys", 404)
    closed = Actor(deployments.start(auth="http_basic"), "admin")
    closed.session.auth = None
    closed("POST", "", 401, json={"namespace": "Nobodys"})
