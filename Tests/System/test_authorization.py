"""Every operation of the API for every kind of caller: the table is authorization.txt, its head says how to read it."""

import json
import pathlib
import uuid

import pytest

import tus
from services import ROOT, User
from web_source import WebSource

CALLERS = ["anonymous", "reader", "member", "owner", "other", "service", "admin", "system"]
TABLE = pathlib.Path(__file__).with_name("authorization.txt")
PATCH_TYPE = "application/openstack-images-v2.1-json-patch"


class Row:
    def __init__(self, line, number):
        fields = line.split(maxsplit=3 + len(CALLERS))
        assert len(fields) >= 3 + len(CALLERS), f"{TABLE.name}:{number}: method, path, state and a code for each caller are expected"
        self.method, self.path, self.state = fields[:3]
        self.codes = dict(zip(CALLERS, (int(code) for code in fields[3 : 3 + len(CALLERS)])))
        self.body = fields[3 + len(CALLERS)].strip() if len(fields) > 3 + len(CALLERS) else None
        self.operation = f"{self.method} {self.path.partition('?')[0]}"


def rows():
    lines = enumerate(TABLE.read_text().splitlines(), 1)
    return [Row(line, number) for number, line in lines if line.strip() and not line.startswith("#")]


# --- states: what there is before a request; each answers what stands for the placeholders ---------------------------


def none(sessions, url):
    return {"new": f"new-{uuid.uuid4()}"}


def queued(sessions, url):
    body = {"name": "shared", "visibility": "shared", "disk_format": "raw", "container_format": "bare", "tags": ["t"]}
    answer = sessions["owner"].post(f"{url}/v2/images", json=body, timeout=30)
    assert answer.status_code == 201, answer.text
    image = f"{url}/v2/images/{answer.json()['id']}"
    assert sessions["owner"].post(f"{image}/members", json={"member": "guest"}, timeout=30).ok
    accepted = {"status": "accepted"}
    assert sessions["member"].put(f"{image}/members/guest", json=accepted, timeout=30).ok
    return {"id": answer.json()["id"], "member_id": "guest", "tag": "t"}


def active(sessions, url):
    values = queued(sessions, url)
    headers = {"Content-Type": "application/octet-stream"}
    data = sessions["owner"].put(f"{url}/v2/images/{values['id']}/file", data=b"data", headers=headers, timeout=30)
    assert data.status_code == 204, data.text
    return values


def copied(sessions, url):
    """Data in a store, and on the web."""
    values = active(sessions, url)
    location = {"url": sessions["source"], "metadata": {}}
    patch = [{"op": "add", "path": "/locations/-", "value": location}]
    image = f"{url}/v2/images/{values['id']}"
    answer = sessions["admin"].patch(image, data=json.dumps(patch), headers={"Content-Type": PATCH_TYPE}, timeout=30)
    assert answer.status_code == 200, answer.text
    return {**values, "store": "fast"}


def uploading(sessions, url):
    values = queued(sessions, url)
    headers = {**tus.VERSION, "Upload-Length": "4"}
    answer = sessions["owner"].post(f"{url}/v2/images/{values['id']}/uploads", headers=headers, timeout=30)
    assert answer.status_code == 201, answer.text
    return {**values, "upload": answer.headers["Location"].rpartition("/")[2]}


def empty_namespace(sessions, url):
    name = f"ns-{uuid.uuid4()}"
    body = {"namespace": name, "owner": "demo", "visibility": "private"}
    answer = sessions["admin"].post(f"{url}/v2/metadefs/namespaces", json=body, timeout=30)
    assert answer.status_code == 201, answer.text
    return {"namespace": name, "name": "n"}


def namespace(sessions, url):
    values = empty_namespace(sessions, url)
    base = f"{url}/v2/metadefs/namespaces/{values['namespace']}"
    parts = {
        "properties": {"name": "n", "title": "N", "type": "string"},
        "objects": {"name": "n"},
        "tags": {"tags": [{"name": "n"}]},
        "resource_types": {"name": "n"},
    }
    for part, body in parts.items():
        answer = sessions["admin"].post(f"{base}/{part}", json=body, timeout=30)
        assert answer.status_code == 201, answer.text
    return values


STATES = {
    function.__name__: function
    for function in (none, queued, active, copied, uploading, empty_namespace, namespace)
}


# --- the test --------------------------------------------------------------------------------------------------------


def start(shared_deployments, more=(), **sections):
    options = {"api": {"DEFAULT": ["allow_anonymous_access = true", *more], **sections}}
    deployment = shared_deployments.start(auth="trusted_headers", stores=("fast", "slow"), options=options)
    users = [
        User("owner", "demo", "member,reader"),
        User("reader", "demo", "reader"),
        User("member", "guest", "member,reader"),
        User("other", "other", "member,reader"),
        User("service", "services", "service"),
        User("admin", "admin", "admin,member,reader"),
    ]
    deployment.users.update({user.name: user for user in users})
    sessions = {name: deployment.session(name) for name in deployment.users}
    # A token of an administrator for the system instead of a project.
    system = deployment.session("admin")
    del system.headers["X-Project-Id"]
    system.headers["OpenStack-System-Scope"] = "all"
    anonymous = deployment.session("admin")
    for header in [name for name in anonymous.headers if name.startswith("X-")]:
        del anonymous.headers[header]
    return deployment.url, {"anonymous": anonymous, "system": system, **sessions}


@pytest.fixture(scope="module")
def site(shared_deployments):
    return start(shared_deployments)


@pytest.fixture(scope="module")
def site_with_web(shared_deployments):
    """One with a store that reads from web servers."""
    several = ["enabled_backends = fast:file, slow:file, web:http", "show_multiple_locations = true"]
    filtering = ["allowed_hosts = 127.0.0.1", "allowed_ports ="]
    url, sessions = start(shared_deployments, several, import_filtering_opts=filtering)
    source = WebSource()
    yield url, {**sessions, "source": source.add("/data", b"data")}
    source.close()


def test_every_operation_has_one_row():
    document = json.loads((ROOT / "docs" / "openapi.json").read_text())
    methods = ("get", "head", "post", "put", "patch", "delete", "options")
    served = {f"{m.upper()} {path}" for path, item in document["paths"].items() for m in methods if m in item}
    listed = [row.operation for row in rows()]
    missing = sorted(served - set(listed))
    assert not missing, f"add a row to {TABLE.relative_to(ROOT)} for each of: {', '.join(missing)}"
    gone = sorted(set(listed) - served)
    assert not gone, f"{TABLE.relative_to(ROOT)} has rows for what is not served: {', '.join(gone)}"
    assert len(listed) == len(set(listed)), "an operation has two rows"
    unknown = sorted({row.state for row in rows()} - set(STATES))
    assert not unknown, f"write the states {', '.join(unknown)} in {pathlib.Path(__file__).name}"


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.operation)
def test_callers_get_what_the_table_says(request, row):
    url, sessions = request.getfixturevalue("site_with_web" if row.state == "copied" else "site")
    got, answers = {}, {}
    for caller in CALLERS:
        path, body = row.path, row.body
        for name, value in STATES[row.state](sessions, url).items():
            path = path.replace("{" + name + "}", value)
            body = body and body.replace("{" + name + "}", value)
        assert "{" not in path, f"the state '{row.state}' says nothing of {path}"
        arguments = {}
        if body:
            is_json = body[0] in "{["
            content = PATCH_TYPE if row.method == "PATCH" else "application/json"
            arguments = {
                "data": body,
                "headers": {"Content-Type": content if is_json else "application/octet-stream"},
            }
        if "/uploads" in path:
            tus_headers = {**tus.VERSION, "Upload-Length": "4"}
            if body:
                tus_headers = {**tus.VERSION, **tus.OCTETS, "Upload-Offset": "0"}
            arguments["headers"] = tus_headers
        answer = sessions[caller].request(row.method, url + path, timeout=30, allow_redirects=False, **arguments)
        got[caller], answers[caller] = answer.status_code, answer.text[:200]
    wrong = {
        caller: f"{got[caller]}, not {row.codes[caller]}: {answers[caller]}"
        for caller in CALLERS
        if got[caller] != row.codes[caller]
    }
    assert not wrong, f"{row.operation}: {wrong}"
