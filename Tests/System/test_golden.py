"""Whole answers over the wire, against golden/*.json; `--update-golden` writes those anew, to be reviewed as a change of the
API is."""

import concurrent.futures
import json

import pytest

import golden

SCENARIOS = sorted(path for path in golden.FOLDER.glob("*.json") if path.stem != "every-operation")
EVERYWHERE = golden.FOLDER / "every-operation.json"

# What no deployment can be brought to answer, by operation (None for all) and status, and why.
OUT_OF_REACH = {
    (None, "500"): "what nobody foresaw",
    ("DELETE /v2/images/{id}", "409"): "a file is never in use, and forty others must come first",
    ("PUT /v2/images/{id}/tags/{tag}", "409"): "forty others must come first",
    ("DELETE /v2/images/{id}/tags/{tag}", "409"): "forty others must come first",
    ("POST /v2/images/{id}/actions/deactivate", "409"): "forty others must come first",
    ("POST /v2/images/{id}/actions/reactivate", "409"): "forty others must come first",
    ("PUT /v2/images/{id}/members/{member_id}", "409"): "forty others must come first",
    ("DELETE /v2/images/{id}/members/{member_id}", "409"): "forty others must come first",
    ("POST /v2/images/{id}/uploads", "410"): "the image must be deleted between two exchanges of one request",
    ("HEAD /v2/images/{id}/uploads/{upload}", "409"): "another node must have the data",
    ("HEAD /v2/images/{id}/uploads/{upload}", "410"): "the data must vanish from the store",
    ("HEAD /v2/images/{id}/uploads/{upload}", "415"): "the end of the upload must have failed before",
    ("PATCH /v2/images/{id}/uploads/{upload}", "410"): "the image must be deleted while the bytes come",
}
# These ask nobody: their 503 is a queue of passwords that is full.
ASKS_NOBODY = ("/v2/info/", "/v2/schemas/")


def explained(found, kept):
    return "\n".join(
        f"{one['request']}\n  kept:  {json.dumps(kept_answer)}\n  found: {json.dumps(answer)}"
        for one, answer, kept_answer in zip(found[0], found[1], kept, strict=True)
        if answer != kept_answer
    )


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_answers_are_as_they_were(path, deployments, request):
    scenario = golden.read(path)
    with golden.source(scenario) as server:
        played = list(golden.play(golden.start(deployments, scenario), scenario["exchanges"], server))
    if request.config.getoption("--update-golden"):
        for one, answer in played:
            one["answer"] = answer
        golden.write(path, scenario)
        return
    exchanges = [one for one, _ in played]
    answers = [answer for _, answer in played]
    differences = explained((exchanges, answers), [one["answer"] for one in exchanges])
    assert not differences, f"{path.name}:\n{differences}"


NAMESPACE = "/v2/metadefs/namespaces/{namespace}"
BODIES = {
    ("POST", "/v2/images/{id}/locations"): {"url": "http://127.0.0.1:9/data"},
    ("POST", "/v2/metadefs/namespaces"): {"namespace": "n"},
    ("PUT", NAMESPACE): {"namespace": "n"},
    ("POST", f"{NAMESPACE}/properties"): {"name": "n", "title": "N", "type": "string"},
    ("PUT", f"{NAMESPACE}/properties/{{name}}"): {"name": "n", "title": "N", "type": "string"},
    ("POST", f"{NAMESPACE}/objects"): {"name": "n"},
    ("PUT", f"{NAMESPACE}/objects/{{name}}"): {"name": "n"},
    ("POST", f"{NAMESPACE}/tags"): {"tags": [{"name": "n"}]},
    ("PUT", f"{NAMESPACE}/tags/{{name}}"): {"name": "n"},
    ("POST", f"{NAMESPACE}/resource_types"): {"name": "n"},
}


def plain_request(operation):
    """A request of an operation that is in order as far as anybody can tell before asking further."""
    method, _, target = operation.partition(" ")
    template = target
    target = target.replace("{store}", "fast")
    for name in ("id", "tag", "member_id", "namespace", "name", "upload"):
        target = target.replace(f"{{{name}}}", "00000000-0000-4000-8000-000000000001")
    if target.endswith("/os_glance_check"):
        target += "?image=00000000-0000-4000-8000-000000000001"
    request = {"as": "admin", "method": method, "target": target}
    if target.endswith(("/file", "/stage")) and method == "PUT":
        request |= {"headers": {"Content-Type": "application/octet-stream"}, "text": "x"}
    elif "/uploads" in target:
        request |= {"headers": {"Tus-Resumable": "1.0.0", "Upload-Length": "1"}}
        if method == "PATCH":
            headers = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
            request |= {"headers": request["headers"] | headers, "text": "x"}
    elif method == "PATCH":
        request |= {"headers": {"Content-Type": "application/openstack-images-v2.1-json-patch"}, "text": "[]"}
    elif method == "POST" and target.endswith("/members"):
        request |= {"json": {"member": "p"}}
    elif method == "POST" and target.endswith("/images"):
        request |= {"json": {}}
    elif method == "PUT" and "/members/" in target:
        request |= {"json": {"status": "accepted"}}
    elif (method, template) in BODIES:
        request |= {"json": BODIES[method, template]}
    return request


FAULTS = {
    "401": lambda request: request | {"as": None},
    "414": lambda request: request | {"target": request["target"] + "?" + "x" * (16 << 10)},
    "431": lambda request: request | {"headers": request.get("headers", {}) | {"X-Openstack-Request-ID": "r" * 65}},
    "503": lambda request: request,
}


def of_every_operation():
    """Operations with the faults that all of them answer alike, as far as the document names them."""
    for operation, status in sorted(golden.promises()):
        path = operation.partition(" ")[2]
        if status not in FAULTS or "healthcheck" in path:
            continue
        if status == "503" and path.startswith(ASKS_NOBODY):
            continue
        yield operation, status


def is_alike(operation, answer, kept):
    """Answers about upload sessions say besides which protocol they speak; answers to HEAD have no body."""
    headers = {name: value for name, value in answer["headers"].items() if not name.startswith("Tus-")}
    if operation.startswith("HEAD "):
        return answer["status"] == kept["status"] and answer["body"] == ""
    return {**answer, "headers": headers} == kept


def test_every_operation_answers_the_same_faults_alike(deployments, request):
    deployment = deployments.start(stores=("fast",))
    kept = golden.read(EVERYWHERE) if EVERYWHERE.exists() else {}
    update = request.config.getoption("--update-golden")
    asked = sorted(of_every_operation(), key=lambda one: one[1])

    def answered(one):
        operation, status = one
        answer = golden.answer_to(deployment, FAULTS[status](plain_request(operation)))
        return operation, status, golden.normal(deployment, answer)

    def all_of(some):
        # The registry's silence is waited for: side by side, once.
        with concurrent.futures.ThreadPoolExecutor(32) as pool:
            return list(pool.map(answered, some))

    found = all_of([one for one in asked if one[1] != "503"])
    deployment.registry.kill()
    found += all_of([one for one in asked if one[1] == "503"])
    if update:
        golden.write(EVERYWHERE, {status: answer for operation, status, answer in found if "/uploads" not in operation})
        return
    differences = [
        f"{operation}: {json.dumps(answer)}"
        for operation, status, answer in found
        if not is_alike(operation, answer, kept[status])
    ]
    assert not differences, "\n".join(differences)


def test_every_documented_status_has_a_golden_answer():
    known = golden.templates()
    covered = set(of_every_operation())
    for path in SCENARIOS:
        for one in golden.read(path)["exchanges"]:
            if "request" in one:
                covered.add((golden.operation_of(one["request"], known), one["answer"]["status"].split(" ")[1]))
    promised = set(golden.promises())
    missing = {
        (operation, status)
        for operation, status in promised - covered
        if (None, status) not in OUT_OF_REACH
        and (operation, status) not in OUT_OF_REACH
        and not (status == "503" and operation.partition(" ")[2].startswith(ASKS_NOBODY))
    }
    assert not missing, f"documented, and never answered: {sorted(missing)}"
    undocumented = {
        (operation, status)
        for operation, status in covered - promised
        # The list of versions may answer any path.
        if operation in {name for name, _ in promised} and status != "300"
    }
    assert not undocumented, f"answered, and not documented: {sorted(undocumented)}"
    stale = {one for one in OUT_OF_REACH if one[0] and one in covered}
    assert not stale, f"in reach after all: {sorted(stale)}"
