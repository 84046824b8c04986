"""Requests generated from docs/openapi.json, sound ones and broken ones, by callers of every kind: no answer is a 5xx, and
none contradicts the document.

    pytest … test_generated.py --generated-requests 10000 --generated-seed 1234
"""

import collections
import pathlib
import secrets
import tempfile

import hypothesis
import pytest
import requests
import schemathesis
from hypothesis import configuration, strategies
from schemathesis.specs.openapi import checks

from audit import assert_accounted
from golden import DOCUMENT
from services import User

# It keeps notes, which have no place beside the tests.
configuration.set_hypothesis_home_dir(pathlib.Path(tempfile.gettempdir()) / "glance-hypothesis")

PATCHES = [f"application/openstack-images-v2.{minor}-json-patch" for minor in (0, 1)]
schemathesis.serializer.alias(PATCHES, "application/json")
schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")

CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
CALLERS = ["admin", "member", "reader", "other", "visitor", None]
MODES = [schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE]


@pytest.fixture(scope="module", params=[(), ("fast", "slow")], ids=["one_store", "stores"])
def deployment(request, shared_deployments):
    """Identity headers instead of passwords: nothing is hashed for each of many requests."""
    options = {"api": {"DEFAULT": ["image_size_cap = 1MB"]}}
    prepared = shared_deployments.prepare(auth="trusted_headers", stores=request.param, options=options)
    prepared.users["visitor"] = User("visitor", "demo", "visitor")
    return prepared.start()


class Images:
    """The ids of images that exist, or did: requests of made-up ids alone would come to nothing."""

    def __init__(self, deployment):
        self.ids = []
        session = deployment.session("member")
        for visibility in ("shared", "private", "community"):
            for formats in ({}, {"disk_format": "raw", "container_format": "bare"}):
                made = session.post(f"{deployment.url}/v2/images", json={"visibility": visibility, **formats})
                self.ids.append(made.json()["id"])

    def pick(self, number):
        """One of the last hundred, most often a late one."""
        some = self.ids[-100:]
        return some[-1 - number % len(some)]

    def see(self, answer):
        if answer.status_code == 201:
            self.ids.append(answer.json()["id"])


class Namespaces:
    """Names of namespaces, each with one of every kind in it, and the names of what is in them."""

    PART = "part"

    def __init__(self, deployment):
        self.url = f"{deployment.url}/v2/metadefs/namespaces"
        self.session = deployment.session("admin")
        self.bodies = []
        for number, more in enumerate(({}, {"owner": "demo"}, {"visibility": "public"}, {"protected": True})):
            definition = {"title": "P", "type": "string"}
            body = {
                "namespace": f"Generated::{number}",
                "properties": {self.PART: definition},
                "objects": [{"name": self.PART, "properties": {"p": definition}}],
                "tags": [{"name": self.PART}],
                "resource_type_associations": [{"name": "OS::Glance::Image"}, {"name": self.PART}],
            }
            self.bodies.append(body | more)

    def refill(self):
        """Makes all anew: requests delete and rename what they can."""
        for body in self.bodies:
            url = f"{self.url}/{body['namespace']}"
            self.session.put(url, json={"namespace": body["namespace"]}, timeout=30)
            self.session.delete(url, timeout=30)
            assert self.session.post(self.url, json=body, timeout=30).status_code == 201

    def pick(self, number):
        return self.bodies[number % len(self.bodies)]["namespace"]


def session_of(deployment, caller):
    session = deployment.session(caller) if caller else requests.Session()
    session.trust_env = False
    session.headers.pop("Accept", None)
    return session


def requests_for(operation, count, seed, send):
    """Makes `count` cases of an operation; no case is repeated, so what one leaves behind may change the next."""
    takes_input = [*operation.iter_parameters(), *operation.body]
    made = strategies.one_of(operation.as_strategy(generation_mode=mode) for mode in MODES[: 2 if takes_input else 1])

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=count,
        phases=[hypothesis.Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(made, strategies.sampled_from(CALLERS), strategies.integers(0, 150))
    def run(case, caller, number):
        send(case, caller, number)

    run()


def test_no_answer_contradicts_the_document(deployment, request, capsys):
    total = request.config.getoption("--generated-requests") // 2
    seed = request.config.getoption("--generated-seed")
    seed = secrets.randbits(32) if seed is None else seed
    operations = [found.ok() for found in schemathesis.openapi.from_path(DOCUMENT).get_all_operations()]
    sessions = {caller: session_of(deployment, caller) for caller in CALLERS}
    images = Images(deployment)
    namespaces = Namespaces(deployment)
    uploads = []
    statuses = collections.Counter()
    found = {}

    def send(case, caller, number):
        if "id" in (case.path_parameters or {}) and number < 120:
            case.path_parameters["id"] = images.pick(number)
        if "namespace" in (case.path_parameters or {}) and number < 120:
            case.path_parameters["namespace"] = namespaces.pick(number)
            if "name" in case.path_parameters and number < 100:
                case.path_parameters["name"] = namespaces.PART
        if "upload" in (case.path_parameters or {}) and uploads and number < 120:
            case.path_parameters["id"], case.path_parameters["upload"] = uploads[-1 - number % min(5, len(uploads))]
        if "image" in (case.query or {}) and number < 120:
            case.query["image"] = images.pick(number)
        try:
            answer = case.call(base_url=deployment.url, session=sessions[caller], timeout=30, allow_redirects=False)
        except (requests.exceptions.InvalidHeader, requests.exceptions.InvalidURL):
            # Not to be sent by this client; the tests of bad input send such things by hand.
            statuses["unsent"] += 1
            return
        statuses[answer.status_code] += 1
        if case.operation.label == "POST /v2/images":
            images.see(answer)
        if answer.status_code == 201 and "/uploads/" in answer.headers.get("Location", ""):
            uploads.append(tuple(answer.headers["Location"].split("/")[-3::2]))
        try:
            case.validate_response(answer, checks=CHECKS)
        except (AssertionError, schemathesis.checks.FailureGroup) as failure:
            found.setdefault(f"{case.operation.label} {answer.status_code}", f"as {caller}: {failure}")

    rounds = max(1, total // (20 * len(operations)))
    for turn in range(rounds):
        # By turns, so that operations meet what the others left behind.
        for operation in operations:
            if "{namespace}" in operation.path:
                namespaces.refill()
            requests_for(operation, -(-total // (rounds * len(operations))), seed + turn, send)
    with capsys.disabled():
        counts = ", ".join(f"{status}: {count}" for status, count in statuses.most_common())
        print(f"\n{sum(statuses.values())} generated requests, --generated-seed {seed}: {counts}")
    assert not found, f"--generated-seed {seed}\n" + "\n\n".join(f"{name}\n{text}" for name, text in found.items())
    assert_accounted(deployment)
