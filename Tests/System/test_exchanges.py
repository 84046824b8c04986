"""What each route costs: how often it asks the registry, and where its time goes, as the metrics of both services say."""

import collections
import json
import re
import uuid

import pytest
import requests

import tus
from audit import assert_becomes
from located_images import V21, source
from services import ROOT

# How often a request of a kind asks the registry. Leases that are renewed beside transfers do not count.
KINDS = {"nothing": 0, "read": 1, "create": 1, "change": 2, "transfer": 3}
# What a process does on its own, whoever asks for what.
BESIDE = {
    *("uploads.renew", "uploads.processes", "uploads.release", "uploads.check"),
    *("deletions.claim", "deletions.postpone"),
}
OPTIONS = {
    "DEFAULT": ["enabled_backends = fast:file, slow:file, web:http", "show_multiple_locations = true", "do_secure_hash = false"],
    "import_filtering_opts": ["allowed_hosts = 127.0.0.1", "allowed_ports ="],
}
OCTETS = {"Content-Type": "application/octet-stream"}
DEFINITION = {"title": "T", "type": "string"}
RESOURCE = {"name": "OS::Glance::Image"}


@pytest.fixture(scope="module")
def deployment(shared_deployments):
    return shared_deployments.start(auth="trusted_headers", stores=("fast", "slow"), options={"api": OPTIONS})


class Scene:
    """What requests are about, made anew for each of them."""

    def __init__(self, deployment, source):
        self.url = deployment.url
        self.session = deployment.session("admin")
        self.source = source
        source.add("/short", b"data")

    def done(self, method, path, **arguments):
        answer = self.session.request(method, self.url + path, timeout=60, **arguments)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer

    def image(self, **fields):
        body = {"name": "n", "disk_format": "raw", "container_format": "bare", **fields}
        return self.done("POST", "/v2/images", json=body).json()["id"]

    def full(self, **fields):
        image = self.image(**fields)
        self.done("PUT", f"/v2/images/{image}/file", data=b"data", headers=OCTETS)
        return image

    def shared(self):
        image = self.image(visibility="shared")
        self.done("POST", f"/v2/images/{image}/members", json={"member": "admin"})
        return image

    def copied(self):
        image = self.full()
        location = {"url": self.source.url + "/short", "metadata": {}}
        change = json.dumps([{"op": "add", "path": "/locations/-", "value": location}])
        self.done("PATCH", f"/v2/images/{image}", data=change, headers={"Content-Type": V21})
        return image

    def upload(self, length=8):
        headers = {**tus.VERSION, "Upload-Length": str(length)}
        made = self.done("POST", f"/v2/images/{self.image()}/uploads", headers=headers)
        return re.sub("^https?://[^/]+", "", made.headers["Location"])

    def namespace(self):
        name = f"Exchanges::{uuid.uuid4()}"
        body = {
            "namespace": name,
            "properties": {"p": DEFINITION},
            "objects": [{"name": "o", "properties": {"q": DEFINITION}}],
            "tags": [{"name": "t"}],
            "resource_type_associations": [RESOURCE],
        }
        self.done("POST", "/v2/metadefs/namespaces", json=body)
        return f"/v2/metadefs/namespaces/{name}"


def patched(path, name="other"):
    change = json.dumps([{"op": "replace", "path": "/name", "value": name}])
    return path, {"data": change, "headers": {"Content-Type": V21}}


def sent(path, data, **headers):
    return path, {"data": data, "headers": {**tus.VERSION, **tus.OCTETS, "Upload-Offset": "0", **headers}}


# Route: kind, what the registry is asked, and a request: a path, and what it is sent with.
IMAGE, SPACE = "/v2/images/{id}", "/v2/metadefs/namespaces/{namespace}"
ROUTES = {
    "GET /v2/images": ("read", "images.list", lambda s: ("/v2/images", {})),
    "POST /v2/images": ("create", "images.create", lambda s: ("/v2/images", {"json": {"name": "n"}})),
    f"GET {IMAGE}": ("read", "images.show", lambda s: (f"/v2/images/{s.image()}", {})),
    f"PATCH {IMAGE}": ("change", "images.show images.update", lambda s: patched(f"/v2/images/{s.image()}")),
    f"DELETE {IMAGE}": ("change", "images.show images.delete", lambda s: (f"/v2/images/{s.image()}", {})),
    f"GET {IMAGE}/file": ("read", "images.show", lambda s: (f"/v2/images/{s.full()}/file", {})),
    f"PUT {IMAGE}/file": (
        "transfer",
        "images.show uploads.begin uploads.finish",
        lambda s: (f"/v2/images/{s.image()}/file", {"data": b"data", "headers": OCTETS}),
    ),
    f"PUT {IMAGE}/stage": (
        "transfer",
        "images.show stagings.begin stagings.finish",
        lambda s: (f"/v2/images/{s.image()}/stage", {"data": b"data", "headers": OCTETS}),
    ),
    f"OPTIONS {IMAGE}/uploads": ("nothing", "", lambda s: (f"/v2/images/{s.image()}/uploads", {})),
    f"POST {IMAGE}/uploads": (
        "change",
        "images.show sessions.begin",
        lambda s: (f"/v2/images/{s.image()}/uploads", {"headers": {**tus.VERSION, "Upload-Length": "8"}}),
    ),
    f"OPTIONS {IMAGE}/uploads/{{upload}}": ("nothing", "", lambda s: (s.upload(), {})),
    f"HEAD {IMAGE}/uploads/{{upload}}": (
        "read",
        "sessions.show sessions.record",
        lambda s: (s.upload(), {"headers": tus.VERSION}),
    ),
    f"PATCH {IMAGE}/uploads/{{upload}}": ("change", "sessions.show sessions.record", lambda s: sent(s.upload(), b"part")),
    f"DELETE {IMAGE}/uploads/{{upload}}": (
        "change",
        "sessions.show uploads.abort",
        lambda s: (s.upload(), {"headers": tus.VERSION}),
    ),
    f"GET {IMAGE}/tasks": ("read", "images.tasks", lambda s: (f"/v2/images/{s.image()}/tasks", {})),
    f"PUT {IMAGE}/tags/{{tag}}": ("change", "images.show images.update", lambda s: (f"/v2/images/{s.image()}/tags/x", {})),
    f"DELETE {IMAGE}/tags/{{tag}}": (
        "change",
        "images.show images.update",
        lambda s: (f"/v2/images/{s.image(tags=['x'])}/tags/x", {}),
    ),
    f"POST {IMAGE}/actions/deactivate": (
        "change",
        "images.show images.update",
        lambda s: (f"/v2/images/{s.full()}/actions/deactivate", {}),
    ),
    f"POST {IMAGE}/actions/reactivate": (
        "change",
        "images.show images.update",
        lambda s: (deactivated(s) + "/actions/reactivate", {}),
    ),
    "DELETE /v2/stores/{store}/{id}": (
        "transfer",
        "images.show images.relocate deletions.finish",
        lambda s: (f"/v2/stores/fast/{s.copied()}", {}),
    ),
    f"GET {IMAGE}/locations": ("read", "images.show", lambda s: (f"/v2/images/{s.copied()}/locations", {})),
    f"POST {IMAGE}/locations": (
        "change",
        "images.show images.relocate",
        lambda s: (f"/v2/images/{s.image()}/locations", {"json": {"url": s.source.url + "/data"}}),
    ),
    f"GET {IMAGE}/members": ("read", "members.list", lambda s: (f"/v2/images/{s.shared()}/members", {})),
    f"POST {IMAGE}/members": (
        "change",
        "images.show members.add",
        lambda s: (f"/v2/images/{s.shared()}/members", {"json": {"member": "x"}}),
    ),
    f"GET {IMAGE}/members/{{member_id}}": (
        "read",
        "members.show",
        lambda s: (f"/v2/images/{s.shared()}/members/admin", {}),
    ),
    f"PUT {IMAGE}/members/{{member_id}}": (
        "change",
        "members.show members.update",
        lambda s: (f"/v2/images/{s.shared()}/members/admin", {"json": {"status": "accepted"}}),
    ),
    f"DELETE {IMAGE}/members/{{member_id}}": (
        "change",
        "members.show members.remove",
        lambda s: (f"/v2/images/{s.shared()}/members/admin", {}),
    ),
    "GET /v2/metadefs/resource_types": ("read", "resource_types.list", lambda s: ("/v2/metadefs/resource_types", {})),
    "GET /v2/metadefs/namespaces": ("read", "metadefs.list", lambda s: ("/v2/metadefs/namespaces", {})),
    "POST /v2/metadefs/namespaces": (
        "create",
        "metadefs.create",
        lambda s: ("/v2/metadefs/namespaces", {"json": {"namespace": "Exchanges::Created"}}),
    ),
    f"PUT {SPACE}": (
        "change",
        "metadefs.show metadefs.update",
        lambda s: (path := s.namespace(), {"json": {"namespace": path.rpartition("/")[2], "description": "d"}}),
    ),
    f"DELETE {SPACE}": ("change", "metadefs.show metadefs.delete", lambda s: (s.namespace(), {})),
    "GET /v2/metadefs/os_glance_check": (
        "read",
        "images.show metadefs.definitions",
        lambda s: (f"/v2/metadefs/os_glance_check?image={s.image(os_distro='debian')}", {}),
    ),
}
# The parts of a namespace: one of each kind, what makes another, and what changes it.
PARTS = {
    "properties": ("p", {"name": "new", **DEFINITION}, {"name": "p", "title": "other", "type": "string"}),
    "objects": ("o", {"name": "new", "properties": {}}, {"name": "o", "description": "other", "properties": {}}),
    "tags": ("t", {"tags": [{"name": "new"}]}, {"name": "other"}),
    "resource_types": (RESOURCE["name"], {"name": "OS::Nova::Server"}, None),
}
for kind, (name, new, changed) in PARTS.items():
    at, of_one = f"{SPACE}/{kind}", f"{SPACE}/{kind}/{{name}}"
    ask = "metadefs.show metadefs.change"
    ROUTES[f"GET {at}"] = ("read", "metadefs.show", lambda s, kind=kind: (f"{s.namespace()}/{kind}", {}))
    ROUTES[f"POST {at}"] = ("change", ask, lambda s, kind=kind, new=new: (f"{s.namespace()}/{kind}", {"json": new}))
    ROUTES[f"DELETE {of_one}"] = ("change", ask, lambda s, kind=kind, name=name: (f"{s.namespace()}/{kind}/{name}", {}))
    if changed:
        ROUTES[f"DELETE {at}"] = ("change", ask, lambda s, kind=kind: (f"{s.namespace()}/{kind}", {}))
        ROUTES[f"GET {of_one}"] = (
            "read",
            "metadefs.show",
            lambda s, kind=kind, name=name: (f"{s.namespace()}/{kind}/{name}", {}),
        )
        ROUTES[f"PUT {of_one}"] = (
            "change",
            ask,
            lambda s, kind=kind, name=name, changed=changed: (f"{s.namespace()}/{kind}/{name}", {"json": changed}),
        )
ROUTES[f"GET {SPACE}"] = ("read", "metadefs.show", lambda s: (s.namespace(), {}))
ROUTES[f"POST {SPACE}/tags/{{name}}"] = (
    "change",
    "metadefs.show metadefs.change",
    lambda s: (f"{s.namespace()}/tags/new", {}),
)
# The API answers these by itself.
ROUTES |= {
    f"{method} {path}": ("nothing", "", lambda s, path=path: (path, {"allow_redirects": False}))
    for method, path in [
        *(("GET", path) for path in ("/", "/versions", "/v2", "/metrics", "/healthcheck")),
        ("HEAD", "/healthcheck"),
        *(("GET", f"/v2/info/{name}") for name in ("import", "stores", "stores/detail", "usage")),
        *(("GET", f"/v2/schemas/{name}{s}") for name in ("image", "member", "task") for s in ("", "s")),
        *(("GET", f"/v2/schemas/metadefs/{name}{s}") for name in ("namespace", "object", "tag") for s in ("", "s")),
        *(("GET", f"/v2/schemas/metadefs/{name}") for name in ("property", "properties")),
        *(("GET", f"/v2/schemas/metadefs/resource_type{s}") for s in ("", "s")),
    ]
}
# Requests of a route that cost something else than its row says.
CASES = [
    # Data has to go before its record can: the registry hears of it.
    (f"DELETE {IMAGE}", "transfer", "images.show images.delete deletions.finish", lambda s: (f"/v2/images/{s.full()}", {})),
    # The last byte ends the transfer.
    (
        f"PATCH {IMAGE}/uploads/{{upload}}",
        "transfer",
        "sessions.show sessions.record uploads.finish",
        lambda s: sent(s.upload(4), b"data"),
    ),
    # A process that knows the upload has nothing to tell.
    (f"HEAD {IMAGE}/uploads/{{upload}}", "read", "sessions.show", lambda s: (begun(s), {"headers": tus.VERSION})),
    # What is so already is not written.
    (f"PUT {IMAGE}/tags/{{tag}}", "read", "images.show", lambda s: (f"/v2/images/{s.image(tags=['x'])}/tags/x", {})),
]
# Routes that cost more or less than their kind, and why.
EXCEPTIONS = {
    f"HEAD {IMAGE}/uploads/{{upload}}": "the first look of a process opens the file and tells what of it is durable",
    "GET /v2/metadefs/os_glance_check": "compares two records: an image, and the definitions of its properties",
}


def deactivated(scene):
    path = f"/v2/images/{scene.full()}"
    scene.done("POST", path + "/actions/deactivate")
    return path


def begun(scene):
    path, arguments = sent(scene.upload(), b"part")
    scene.done("PATCH", path, **arguments)
    return path


def asked(deployment):
    """What the registry was asked so far, by operation."""
    row = re.compile(r'^registry_operation_seconds_count\{.*operation="([\w.]+)".*\} (\S+)$', re.M)
    counts = collections.Counter()
    for name, count in row.findall(deployment.registry.get("/metrics")):
        if name not in BESIDE:
            counts[name] += int(float(count))
    return counts


def test_no_route_is_without_a_row():
    paths = json.loads((ROOT / "docs/openapi.json").read_text())["paths"]
    methods = {"get", "head", "post", "put", "patch", "delete", "options"}
    routes = {f"{method.upper()} {path}" for path, item in paths.items() for method in methods & item.keys()}
    assert routes == ROUTES.keys()


def test_every_row_costs_what_its_kind_costs():
    rows = [(route, kind, operations) for route, (kind, operations, _) in ROUTES.items()]
    odd = {route for route, kind, operations in rows if len(operations.split()) != KINDS[kind]}
    assert odd == EXCEPTIONS.keys()
    assert all(len(operations.split()) == KINDS[kind] for _, kind, operations, _ in CASES)


@pytest.mark.parametrize("route", [*ROUTES, *range(len(CASES))])
def test_a_request_asks_the_registry_as_often_as_its_row_says(deployment, source, route):
    if isinstance(route, int):
        route, _, operations, request = CASES[route]
    else:
        _, operations, request = ROUTES[route]
    scene = Scene(deployment, source)
    path, arguments = request(scene)
    # What an earlier request has left to be deleted is not this one's.
    assert_becomes([], lambda: deployment.database.rows("SELECT id FROM image_locations WHERE state = 'deleting'"), 60)
    before = asked(deployment)
    method = route.split()[0]
    answer = scene.session.request(method, deployment.url + path, timeout=60, **arguments)
    assert answer.status_code < 400, f"{method} {path}: {answer.status_code} {answer.text}"
    assert asked(deployment) - before == collections.Counter(operations.split()), f"{method} {path}"


def test_the_parts_of_the_time_make_up_all_of_it(deployment, source):
    def times():
        """Seconds by part, how many requests, and the seconds of all of them."""
        text = requests.get(deployment.url + "/metrics", timeout=10).text
        parts = dict(re.findall(r'^request_time_seconds_sum\{part="(\w+)"\} (\S+)$', text, re.M))
        counts = set(re.findall(r'^request_time_seconds_count\{part="\w+"\} (\S+)$', text, re.M))
        whole = sum(float(value) for value in re.findall(r"^http_request_seconds_sum\{.*\} (\S+)$", text, re.M))
        assert len(counts) == 1, "every request has every part"
        return {part: float(value) for part, value in parts.items()}, int(counts.pop()), whole

    def registry_time():
        text = deployment.registry.get("/metrics")
        return {p: float(v) for p, v in re.findall(r'^exchange_time_seconds_sum\{part="(\w+)"\} (\S+)$', text, re.M)}

    scene = Scene(deployment, source)
    image = scene.image()
    parts, count, whole = times()
    told = registry_time()
    for _ in range(20):
        scene.done("GET", f"/v2/images/{image}")
        scene.done("PUT", f"/v2/images/{image}/tags/t")
        scene.done("DELETE", f"/v2/images/{image}/tags/t")
        scene.done("GET", "/v2/schemas/image")
    later, more, all_of_it = times()
    spent = {part: later[part] - parts[part] for part in later}
    assert later.keys() == {"api", "wire", "registry", "database"}
    assert more - count == 80
    assert all(seconds > 0 for seconds in spent.values()), spent
    assert sum(spent.values()) == pytest.approx(all_of_it - whole, rel=1e-6)
    # As the registry counts it itself, which may have done some work beside.
    assert registry_time()["database"] - told["database"] >= spent["database"] * 0.99 - 1e-3
