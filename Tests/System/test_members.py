"""Sharing images with other projects: `/v2/images/{id}/members`, by hand and with stock clients."""

import collections
import concurrent.futures
import http.server
import json
import re
import threading
import time
import uuid

import pytest

from clients import GlanceLibrary, OpenStackCommand
from services import User
from wire import exchange

# Who takes part, by what the tests call them. `demo` owns the images and shares them with `partner`.
USERS = [
    User("owner", "demo", "member,reader"),
    User("owner-reader", "demo", "reader"),
    User("owner-without-roles", "demo", "unrelated"),
    User("partner", "partner", "member,reader"),
    User("partner-reader", "partner", "reader"),
    User("partner-without-roles", "partner", "unrelated"),
    User("third", "third", "member,reader"),
]
SECONDS_ONLY = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
NOBODY = str(uuid.uuid4())


def with_users(deployment):
    deployment.users.update({user.name: user for user in USERS})
    return deployment


@pytest.fixture(scope="module")
def deployment(shared_deployments):
    return with_users(shared_deployments.start(auth="trusted_headers"))


class Actor:
    """Somebody's requests about one deployment's images."""

    def __init__(self, deployment, user):
        self.base = f"{deployment.url}/v2/images"
        self.session = deployment.session(user)

    def request(self, method, path, **arguments):
        return self.session.request(method, f"{self.base}{path}", timeout=30, **arguments)

    def create(self, **fields):
        body = {"name": "shared", "disk_format": "raw", "container_format": "bare", **fields}
        answer = self.request("POST", "", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def share(self, image_id, project):
        return self.request("POST", f"/{image_id}/members", json={"member": project})

    def members(self, image_id):
        return self.request("GET", f"/{image_id}/members")

    def member(self, image_id, project):
        return self.request("GET", f"/{image_id}/members/{project}")

    def answer(self, image_id, project, status):
        return self.request("PUT", f"/{image_id}/members/{project}", json={"status": status})

    def unshare(self, image_id, project):
        return self.request("DELETE", f"/{image_id}/members/{project}")

    def change_visibility(self, image_id, visibility):
        change = [{"op": "replace", "path": "/visibility", "value": visibility}]
        headers = {"Content-Type": "application/openstack-images-v2.1-json-patch"}
        answer = self.request("PATCH", f"/{image_id}", data=json.dumps(change), headers=headers)
        assert answer.status_code == 200, answer.text

    def shows(self, image_id):
        return self.request("GET", f"/{image_id}").status_code == 200

    def lists(self, image_id, **filters):
        answer = self.request("GET", "", params={"limit": 1000, **filters})
        assert answer.status_code == 200, answer.text
        return image_id in {image["id"] for image in answer.json()["images"]}


@pytest.fixture
def actor(deployment):
    return lambda user: Actor(deployment, user)


@pytest.fixture
def owner(actor):
    return actor("owner")


@pytest.fixture
def partner(actor):
    return actor("partner")


@pytest.fixture
def shared(owner):
    """An image that `demo` shares with `partner` and `fourth`, neither of which has answered."""
    image_id = owner.create()
    for project in ("partner", "fourth"):
        assert owner.share(image_id, project).status_code == 200
    return image_id


def test_beside_the_former_defaults_the_owner_does_not_answer_for_others(deployments):
    options = {"api": {"oslo_policy": ["enforce_new_defaults = false"]}}
    deployment = with_users(deployments.prepare(auth="trusted_headers", options=options)).start()
    owner, partner, third, admin = (Actor(deployment, user) for user in ("owner", "partner", "third", "admin"))
    image_id = owner.create(visibility="shared")
    assert partner.share(image_id, "partner").status_code == 404
    assert owner.share(image_id, "partner").status_code == 200
    refused = owner.answer(image_id, "partner", "accepted")
    assert refused.status_code == 403 and "Not allowed to update members" in refused.text
    assert not partner.lists(image_id)
    assert partner.share(image_id, "third").status_code == 403
    assert partner.unshare(image_id, "partner").status_code == 403
    assert third.answer(image_id, "partner", "accepted").status_code == 404
    assert partner.answer(image_id, "partner", "accepted").status_code == 200
    assert partner.lists(image_id)
    assert admin.answer(image_id, "partner", "rejected").status_code == 200
    assert owner.unshare(image_id, "partner").status_code == 204


def test_share_accept_list_reject(owner, partner, actor):
    image_id = owner.create()
    assert not partner.shows(image_id)
    answer = owner.share(image_id, "partner")
    assert answer.status_code == 200
    member = answer.json()
    assert set(member) == {"member_id", "image_id", "status", "created_at", "updated_at", "schema"}
    assert (member["member_id"], member["image_id"], member["status"]) == ("partner", image_id, "pending")
    assert member["schema"] == "/v2/schemas/member"
    assert member["created_at"] == member["updated_at"]
    assert re.fullmatch(SECONDS_ONLY, member["created_at"])
    assert owner.members(image_id).json() == {"members": [member], "schema": "/v2/schemas/members"}
    assert owner.member(image_id, "partner").json() == member

    assert partner.shows(image_id)
    assert not partner.lists(image_id)
    answer = partner.answer(image_id, "partner", "accepted")
    assert answer.status_code == 200
    accepted = answer.json()
    assert {**accepted, "updated_at": None} == {**member, "status": "accepted", "updated_at": None}
    assert partner.lists(image_id)
    assert not actor("third").lists(image_id)

    assert partner.answer(image_id, "partner", "rejected").json()["status"] == "rejected"
    assert not partner.lists(image_id)
    assert partner.shows(image_id)
    assert partner.answer(image_id, "partner", "pending").json()["status"] == "pending"

    answer = owner.unshare(image_id, "partner")
    assert (answer.status_code, answer.content) == (204, b"")
    assert owner.member(image_id, "partner").status_code == 404
    assert owner.members(image_id).json()["members"] == []
    assert not partner.shows(image_id)


# What each caller is answered to: list, show partner, show fourth, add, answer for partner, answer for fourth,
# remove partner, remove fourth.
SHARED_ANSWERS = {
    "owner": (200, 200, 200, 200, 403, 403, 204, 204),
    "owner-reader": (200, 200, 200, 403, 403, 403, 403, 403),
    "owner-without-roles": (404, 404, 404, 404, 404, 404, 404, 404),
    "partner": (200, 200, 404, 403, 200, 404, 403, 404),
    "partner-reader": (200, 200, 404, 403, 403, 404, 403, 404),
    "partner-without-roles": (404, 404, 404, 404, 404, 404, 404, 404),
    "third": (404, 404, 404, 404, 404, 404, 404, 404),
    "admin": (200, 200, 200, 200, 200, 200, 204, 204),
}


def statuses(one, image_id):
    return (
        one.members(image_id).status_code,
        one.member(image_id, "partner").status_code,
        one.member(image_id, "fourth").status_code,
        one.share(image_id, "fifth").status_code,
        one.answer(image_id, "partner", "accepted").status_code,
        one.answer(image_id, "fourth", "accepted").status_code,
        one.unshare(image_id, "partner").status_code,
        one.unshare(image_id, "fourth").status_code,
    )


@pytest.mark.parametrize("user", SHARED_ANSWERS)
def test_who_may_do_what(actor, shared, user):
    assert statuses(actor(user), shared) == SHARED_ANSWERS[user]


def test_who_sees_which_members(actor, shared):
    def seen(user):
        return [member["member_id"] for member in actor(user).members(shared).json()["members"]]

    assert {user: seen(user) for user in ("owner", "owner-reader", "admin", "partner", "partner-reader")} == {
        "owner": ["partner", "fourth"],
        "owner-reader": ["partner", "fourth"],
        "admin": ["partner", "fourth"],
        "partner": ["partner"],
        "partner-reader": ["partner"],
    }


@pytest.mark.parametrize("visibility", ["private", "community", "public"])
def test_an_image_that_is_not_shared_has_no_members(actor, owner, shared, visibility):
    actor("admin").change_visibility(shared, visibility)
    refused = (403, 404, 404, 403, 403, 403, 403, 403)
    hidden = (404,) * 8
    for user in SHARED_ANSWERS:
        owns = user.startswith("owner") or user == "admin"
        expected = refused if owns or visibility != "private" else hidden
        assert statuses(actor(user), shared) == expected, user
    assert "Only shared images have members." in owner.members(shared).text
    assert f"Not allowed to create members for image {shared}." in owner.share(shared, "x").text
    # Nothing is lost: the members are there again with the visibility.
    owner.change_visibility(shared, "shared")
    assert [member["status"] for member in owner.members(shared).json()["members"]] == ["pending", "pending"]
    assert actor("partner").shows(shared)


@pytest.mark.parametrize("own", ["pending", "accepted", "rejected"])
def test_member_status_selects_what_is_listed(owner, partner, shared, own):
    assert partner.answer(shared, "partner", own).status_code == 200
    assert partner.lists(shared) == (own == "accepted")
    assert partner.lists(shared, visibility="shared") == (own == "accepted")
    for asked in ("pending", "accepted", "rejected"):
        assert partner.lists(shared, member_status=asked) == (own == asked)
        assert partner.lists(shared, member_status=asked, visibility="shared") == (own == asked)
    assert partner.lists(shared, member_status="all")
    # A filter, and no obstacle to the owner.
    assert owner.lists(shared)
    assert owner.lists(shared, member_status="rejected")
    assert partner.request("GET", "", params={"member_status": "unsure"}).status_code == 400


def test_phrases(owner, partner, shared):
    for answer in (
        owner.members(NOBODY),
        owner.member(NOBODY, "partner"),
        owner.share(NOBODY, "x"),
        owner.answer(NOBODY, "partner", "accepted"),
        owner.unshare(NOBODY, "partner"),
        owner.members("no-id"),
    ):
        assert answer.status_code == 404
        assert "Image " in answer.text and " not found." in answer.text
    absence = f"nobody not found in the member list of the image {shared}."
    for answer in (
        owner.member(shared, "nobody"),
        owner.answer(shared, "nobody", "accepted"),
        owner.unshare(shared, "nobody"),
    ):
        assert (answer.status_code, absence in answer.text) == (404, True)
    answer = owner.share(shared, "partner")
    assert answer.status_code == 409
    assert f"Member partner is duplicated for image {shared}" in answer.text
    assert f"Not allowed to create members for image {shared}." in partner.share(shared, "x").text
    assert f"Not allowed to update members for image {shared}." in owner.answer(shared, "partner", "accepted").text
    assert f"Not allowed to delete members for image {shared}." in partner.unshare(shared, "partner").text


@pytest.mark.parametrize(
    ("body", "phrase"),
    [
        (None, "Body expected in request."),
        ("", "Body expected in request."),
        ("{", "Malformed JSON in request body."),
        ('"x"', "Unexpected body type. Expected list/dict."),
        ("{}", "Member to be added not specified"),
        ('{"status": "accepted"}', "Member to be added not specified"),
        ('{"member": ""}', "Member can't be empty"),
        ('{"member": null}', "Member can't be empty"),
        ('["partner"]', "Expected a member in the form"),
        ("[]", "Expected a member in the form"),
        ('{"member": {"id": "x"}}', "Expected a member in the form"),
        (json.dumps({"member": "x" * 256}), "255 characters"),
    ],
)
def test_bodies_that_name_no_member(owner, shared, body, phrase):
    # The body is looked at before the image is.
    for image_id in (shared, NOBODY):
        answer = owner.request("POST", f"/{image_id}/members", data=body)
        assert (answer.status_code, phrase in answer.json()["message"]) == (400, True), answer.text


@pytest.mark.parametrize(
    ("body", "phrase"),
    [
        (None, "Body expected in request."),
        ("{}", "Status not specified"),
        ('["accepted"]', "Expected a status in the form"),
        ("1", "Unexpected body type. Expected list/dict."),
    ],
)
def test_bodies_that_name_no_status(partner, shared, body, phrase):
    for path in (f"/{shared}/members/partner", f"/{NOBODY}/members/partner"):
        answer = partner.request("PUT", path, data=body)
        assert (answer.status_code, phrase in answer.json()["message"]) == (400, True), answer.text


@pytest.mark.parametrize("status", ["Accepted", "deleted", "", None, 1, ["accepted"]])
def test_words_that_are_no_status(owner, partner, shared, status):
    answer = partner.answer(shared, "partner", status)
    assert answer.status_code == 400
    assert answer.json()["message"] == 'Status must be "pending", "accepted" or "rejected".'
    # Only who may change the status learns that the word is none.
    assert owner.answer(shared, "partner", status).status_code == 403
    assert owner.answer(shared, "nobody", status).status_code == 404


def test_bodies_where_none_belongs(owner, shared):
    for method, path in [("GET", ""), ("GET", "/partner"), ("DELETE", "/partner")]:
        answer = owner.request(method, f"/{shared}/members{path}", data="{}")
        assert (answer.status_code, "A body is not expected" in answer.text) == (400, True)


def test_other_methods(deployment, owner, shared):
    for path, allowed in {"": {"GET", "POST"}, "/partner": {"GET", "PUT", "DELETE"}}.items():
        for method in {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"} - allowed:
            answer = owner.request(method, f"/{shared}/members{path}")
            assert answer.status_code == 405, (method, path)
            assert {name.strip() for name in answer.headers["Allow"].split(",")} == allowed
    assert owner.request("GET", f"/{shared}/members/").status_code == 404


def test_names_of_members(owner, shared):
    for name, path in [(77, "77"), ("a b&c=é😀", "a%20b%26c%3D%C3%A9%F0%9F%98%80"), ("x" * 255, "x" * 255)]:
        assert owner.share(shared, name).json()["member_id"] == str(name)
        assert owner.member(shared, path).json()["member_id"] == str(name)
        assert owner.unshare(shared, path).status_code == 204


def test_the_owner_may_be_a_member_and_cannot_answer(owner, actor, shared):
    assert owner.share(shared, "demo").status_code == 200
    assert owner.answer(shared, "demo", "accepted").status_code == 403
    assert actor("admin").answer(shared, "demo", "accepted").status_code == 200


def test_a_member_that_is_added_again_is_a_new_one(owner, partner, shared):
    first = owner.member(shared, "partner").json()
    partner.answer(shared, "partner", "accepted")
    assert owner.unshare(shared, "partner").status_code == 204
    assert owner.unshare(shared, "partner").status_code == 404
    time.sleep(1.1)
    again = owner.share(shared, "partner").json()
    assert again["status"] == "pending"
    assert again["created_at"] == again["updated_at"] > first["created_at"]


def test_sharing_leaves_the_image_as_it_is(owner, partner, shared):
    before = owner.request("GET", f"/{shared}").json()
    time.sleep(1.1)
    assert owner.share(shared, "fifth").status_code == 200
    assert partner.answer(shared, "partner", "accepted").json()["updated_at"] > before["updated_at"]
    assert owner.unshare(shared, "fifth").status_code == 204
    assert owner.request("GET", f"/{shared}").json() == before


def test_a_read_is_one_exchange_and_a_change_two(deployment, owner, partner, shared):
    def exchanges():
        """What the registry was asked so far about images and members, by operation."""
        text = deployment.registry.get("/metrics")
        row = re.compile(r'^registry_operation\w*_count\{.*operation="((?:images|members)\.\w+)".*\} (\S+)$', re.M)
        return collections.Counter({name: int(float(count)) for name, count in row.findall(text)})

    for operations, request in [
        (["members.list"], lambda: owner.members(shared)),
        (["members.show"], lambda: owner.member(shared, "partner")),
        (["images.show", "members.add"], lambda: owner.share(shared, "fifth")),
        (["members.show", "members.update"], lambda: partner.answer(shared, "partner", "accepted")),
        (["members.show", "members.remove"], lambda: owner.unshare(shared, "partner")),
    ]:
        before = exchanges()
        assert request().status_code in (200, 204)
        assert exchanges() - before == collections.Counter(operations)


def test_members_are_added_while_the_image_changes(deployment, owner):
    image_id = owner.create()

    def share(number):
        return Actor(deployment, "owner").share(image_id, f"p{number}").status_code

    def rename(number):
        change = json.dumps([{"op": "replace", "path": "/name", "value": f"n{number}"}])
        headers = {"Content-Type": "application/openstack-images-v2.1-json-patch"}
        return Actor(deployment, "owner").request("PATCH", f"/{image_id}", data=change, headers=headers).status_code

    # Fewer changes than one that is overtaken is decided anew.
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        jobs = [pool.submit(job, number) for number in range(6) for job in (share, rename)]
        assert {job.result() for job in jobs} == {200}
    assert len(owner.members(image_id).json()["members"]) == 6


def test_members_may_download_and_not_change(owner, partner, actor, shared):
    headers = {"Content-Type": "application/octet-stream"}
    assert owner.request("PUT", f"/{shared}/file", data=b"123456789", headers=headers).status_code == 204
    assert partner.request("GET", f"/{shared}/file").content == b"123456789"
    assert actor("partner-reader").request("GET", f"/{shared}/file").status_code == 403
    assert partner.request("DELETE", f"/{shared}").status_code == 403
    assert partner.request("PUT", f"/{shared}/tags/x").status_code == 403
    assert actor("third").request("GET", f"/{shared}/file").status_code == 404
    assert owner.request("DELETE", f"/{shared}").status_code == 204
    assert partner.members(shared).status_code == 404


def test_anonymous_callers_may_share_nothing(deployments):
    deployment = deployments.start(
        auth="trusted_headers", options={"api": {"DEFAULT": ["allow_anonymous_access = true"]}}
    )
    for method, path in [("POST", ""), ("PUT", "/p"), ("DELETE", "/p")]:
        body = {"POST": b'{"member": "p"}', "PUT": b'{"status": "accepted"}', "DELETE": b""}[method]
        headers = {"Connection": "close", **({"Content-Length": len(body)} if body else {})}
        answer = exchange(deployment.api.port, method, f"/v2/images/{NOBODY}/members{path}", headers, body)
        assert (answer.status, b"Read-only access" in answer.body) == (403, True)


def test_the_quota_is_exact(deployments):
    deployment = with_users(
        deployments.start(auth="trusted_headers", options={"api": {"DEFAULT": ["image_member_quota = 3"]}})
    )
    owner = Actor(deployment, "owner")
    image_id = owner.create()

    def share(number):
        return Actor(deployment, "owner").share(image_id, f"p{number}").status_code

    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(share, range(24)))
    assert sorted(answers) == [200] * 3 + [413] * 21
    answer = owner.share(image_id, "more")
    assert answer.status_code == 413
    assert f"Image member limit exceeded for image {image_id}: " in answer.text
    assert "Attempted: 4, Maximum: 3" in answer.text
    members = [member["member_id"] for member in owner.members(image_id).json()["members"]]
    assert len(members) == 3
    assert owner.unshare(image_id, members[0]).status_code == 204
    assert owner.share(image_id, "more").status_code == 200


@pytest.mark.parametrize(("quota", "statuses"), [(0, [413]), (-1, [200] * 130)])
def test_quotas_at_their_ends(deployments, quota, statuses):
    options = {"api": {"DEFAULT": [f"image_member_quota = {quota}"]}}
    owner = Actor(with_users(deployments.start(auth="trusted_headers", options=options)), "owner")
    image_id = owner.create()
    assert [owner.share(image_id, f"p{number}").status_code for number in range(len(statuses))] == statuses


# --- stock clients --------------------------------------------------------------------------------------------------


class ClosedMouth(http.server.BaseHTTPRequestHandler):
    """An identity service that tells nobody about projects, as Keystone does to all but administrators."""

    def do_GET(self):
        here = f"http://127.0.0.1:{self.server.server_port}/v3"
        version = {"id": "v3.14", "status": "stable", "links": [{"rel": "self", "href": here}]}
        refusal = {"error": {"code": 403, "title": "Forbidden", "message": "You are not authorized."}}
        is_discovery = self.path.strip("/") in ("", "v3")
        body = json.dumps({"version": version} if is_discovery else refusal).encode()
        self.send_response(200 if is_discovery else 403)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def identity_url():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), ClosedMouth)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v3"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def basic(shared_deployments):
    """A deployment for clients that send passwords; `other` is a member of a project of that name."""
    return shared_deployments.start(auth="http_basic")


class OpenStackWithIdentity(OpenStackCommand):
    """`openstack`, which asks an identity service for the project that it is given."""

    def __init__(self, deployment, user, identity_url):
        super().__init__(deployment, user)
        self.cloud = f"{user}-cloud"
        auth = {"endpoint": deployment.url + "/v2", "username": self.user.name, "password": self.user.password}
        cloud = {"auth_type": "http_basic", "auth": auth, "identity_endpoint_override": identity_url}
        file = self.home / f"{self.cloud}.json"
        file.write_text(json.dumps({"clouds": {self.cloud: cloud}}))
        self.environment["OS_CLIENT_CONFIG_FILE"] = str(file)

    def options(self):
        return ["--os-cloud", self.cloud]

    def rows(self, *arguments):
        return json.loads(self.run("image", *arguments, "-f", "json"))


def test_openstack_shares_and_accepts(basic, identity_url):
    owner = OpenStackWithIdentity(basic, "member", identity_url)
    other = OpenStackWithIdentity(basic, "other", identity_url)
    image_id = owner.rows("create", "--shared", "for-others")["id"]
    added = owner.rows("add", "project", image_id, "other")
    assert (added["image_id"], added["member_id"], added["status"]) == (image_id, "other", "pending")
    assert [(row["Member ID"], row["Status"]) for row in owner.rows("member", "list", image_id)] == [
        ("other", "pending")
    ]
    assert image_id not in {row["ID"] for row in other.rows("list", "--shared")}
    assert image_id in {row["ID"] for row in other.rows("list", "--shared", "--member-status", "pending")}
    other.run("image", "set", "--accept", "--project", "other", image_id)
    assert image_id in {row["ID"] for row in other.rows("list", "--shared")}
    assert other.rows("member", "get", image_id, "other")["status"] == "accepted"
    other.run("image", "set", "--reject", "--project", "other", image_id)
    assert image_id not in {row["ID"] for row in other.rows("list")}
    owner.run("image", "remove", "project", image_id, "other")
    assert owner.rows("member", "list", image_id) == []
    with pytest.raises(RuntimeError, match="No Image found|404"):
        other.rows("show", image_id)


def test_glanceclient_shares_and_accepts(basic):
    owner = GlanceLibrary(basic, "member").client
    other = GlanceLibrary(basic, "other").client
    image = owner.images.create(name="for-others", disk_format="raw", container_format="bare")
    member = owner.image_members.create(image.id, "other")
    assert (member.member_id, member.image_id, member.status) == ("other", image.id, "pending")
    assert [row.member_id for row in owner.image_members.list(image.id)] == ["other"]
    assert other.image_members.update(image.id, "other", "accepted").status == "accepted"
    assert image.id in {row.id for row in other.images.list()}
    assert other.image_members.get(image.id, "other").status == "accepted"
    owner.image_members.delete(image.id, "other")
    assert list(owner.image_members.list(image.id)) == []
