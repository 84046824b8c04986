"""`http:` checks of policy: another service decides, and whatever becomes of it."""

import concurrent.futures
import http.server
import json
import threading
import time
import urllib.parse

import pytest

from services import wait_until

PATCH_TYPE = "application/openstack-images-v2.1-json-patch"


class Decider:
    """A service that answers what it is told to, and keeps what it is asked."""

    def __init__(self):
        self.answer, self.seconds, self.asked = "True", 0, []
        # Who asks at this path waits until it is set.
        self.held_path, self.release = None, threading.Event()
        decider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                decider.asked.append((self.path, self.headers["Content-Type"], body))
                time.sleep(decider.seconds)
                if self.path == decider.held_path:
                    decider.release.wait(120)
                data = decider.answer.encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *arguments):
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 200

            def handle_error(self, *arguments):
                """Who gave up waiting has closed the connection."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def decider():
    made = Decider()
    yield made
    made.stop()


@pytest.fixture
def start(deployments, decider):
    def started(rules, *options):
        deployment = deployments.prepare(auth="trusted_headers", options={"api": {"oslo_policy": list(options)}})
        text = "".join(f'"{name}": "{check}"\n' for name, check in rules.items())
        (deployment.directory / "policy.yaml").write_text(text.replace("DECIDER", decider.url))
        return deployment.start()

    return started


def make(deployment, **more):
    return deployment.session("member").post(f"{deployment.url}/v2/images", json=more, timeout=30)


def rename(deployment, image, seconds=30, user="member"):
    return deployment.session(user).patch(
        f"{deployment.url}/v2/images/{image}",
        data='[{"op": "replace", "path": "/name", "value": "new"}]',
        headers={"Content-Type": PATCH_TYPE},
        timeout=seconds,
    )


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "application/json"])
def test_it_is_told_what_it_decides_on(start, decider, content_type):
    deployment = start({"modify_image": "role:member and DECIDER/%(id)s"}, f"remote_content_type = {content_type}")
    image = make(deployment, name="old & é", os_distro="void").json()["id"]
    assert rename(deployment, image).status_code == 200
    [(path, sent_type, body)] = decider.asked
    assert (path, sent_type) == (f"/{image}", content_type)
    if content_type == "application/json":
        asked = json.loads(body)
    else:
        asked = {name: json.loads(value) for name, value in urllib.parse.parse_qsl(body.decode(), strict_parsing=True)}
    assert asked["rule"] == "modify_image"
    target, credentials = asked["target"], asked["credentials"]
    assert (target["id"], target["name"], target["os_distro"]) == (image, "old & é", "void")
    assert (target["project_id"], target["visibility"], target["protected"]) == ("demo", "shared", False)
    assert (credentials["user_id"], credentials["project_id"]) == ("member", "demo")
    assert sorted(credentials["roles"]) == ["member", "reader"]


@pytest.mark.parametrize(
    ("answer", "status"),
    [("True", 200), ('"True"', 200), ("true", 403), ("False", 403), ("True\n", 403), ("", 403), ("x" * 100_000, 503)],
    ids=["true", "quoted", "lower", "false", "line", "nothing", "much"],
)
def test_only_true_allows(start, decider, answer, status):
    deployment = start({"modify_image": "DECIDER/"})
    image = make(deployment).json()["id"]
    decider.answer = answer
    refused = rename(deployment, image)
    assert refused.status_code == status
    assert decider.url not in refused.text


def test_a_slow_service_costs_its_time_and_keeps_nobody_else_waiting(start, decider):
    deployment = start({"modify_image": "DECIDER/"}, "remote_timeout = 4")
    images = [make(deployment).json()["id"] for _ in range(40)]
    decider.seconds = 90
    session = deployment.session("member")
    begin = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(len(images)) as pool:
        waiting = [pool.submit(rename, deployment, image) for image in images]
        time.sleep(0.5)
        for _ in range(10):
            start_of_one = time.monotonic()
            assert session.get(f"{deployment.url}/v2/images/{images[0]}", timeout=30).status_code == 200
            assert time.monotonic() - start_of_one < 15
        answers = [future.result() for future in waiting]
    assert {answer.status_code for answer in answers} == {503}
    assert all(answer.headers["Retry-After"] for answer in answers)
    assert time.monotonic() - begin < 40
    assert "does not answer; try again later." in answers[0].json()["message"]
    # For a moment it is left alone, and then it is asked again.
    decider.seconds = 0
    assert rename(deployment, images[0]).status_code in (200, 503)
    assert wait_until(lambda: rename(deployment, images[0]).status_code == 200, 60)


def test_a_hanging_service_keeps_one_project_waiting_and_no_other(start, decider):
    deployment = start({"modify_image": "DECIDER/%(project_id)s"}, "remote_timeout = 120")
    images = [make(deployment).json()["id"] for _ in range(70)]
    other = deployment.session("admin")
    others = other.post(f"{deployment.url}/v2/images", json={}, timeout=30).json()["id"]
    decider.held_path = "/demo"
    with concurrent.futures.ThreadPoolExecutor(len(images)) as pool:
        try:
            waiting = [pool.submit(rename, deployment, image, 110) for image in images]
            refused = next(concurrent.futures.as_completed(waiting, timeout=60)).result()
            assert refused.status_code == 503 and refused.headers["Retry-After"]
            for path in ("/v2/images", "/v2/schemas/image", f"/v2/images/{others}"):
                assert other.get(deployment.url + path, timeout=60).status_code == 200
            # Also what another project asks of the same service.
            assert rename(deployment, others, 60, "admin").status_code == 200
            assert wait_until(lambda: sum(future.done() for future in waiting) == len(images) - 32, 60)
        finally:
            decider.release.set()
    answers = [future.result().status_code for future in waiting]
    assert (answers.count(200), answers.count(503)) == (32, len(images) - 32)


def test_an_address_that_is_none_denies_and_stops_nobody(start, decider):
    deployment = start({"modify_image": "DECIDER/%(id)s", "communitize_image": "http://%(name)s/"})
    image = make(deployment, name="a b:c[").json()["id"]
    for _ in range(5):
        answer = deployment.session("member").patch(
            f"{deployment.url}/v2/images/{image}",
            data='[{"op": "replace", "path": "/visibility", "value": "community"}]',
            headers={"Content-Type": PATCH_TYPE},
            timeout=30,
        )
        assert answer.status_code == 403, answer.text
    assert "cannot be used" in deployment.api.log
    assert rename(deployment, image).status_code == 200


def test_no_answer_is_no_empty_list(start, decider):
    deployment = start({"get_image": "DECIDER/"}, "remote_timeout = 1")
    session = deployment.session("member")
    image = make(deployment).json()["id"]

    def decided(path=""):
        """The first answer that was decided on: on a busy machine that may take longer than is waited."""
        answers = []
        wait_until(
            lambda: answers.append(session.get(f"{deployment.url}/v2/images{path}")) or answers[-1].status_code != 503, 60
        )
        return answers[-1]

    assert [i["id"] for i in decided().json()["images"]] == [image]
    decider.answer = "False"
    assert decided().json()["images"] == []
    assert decided(f"/{image}").status_code == 404
    decider.seconds = 90
    assert session.get(f"{deployment.url}/v2/images").status_code == 503
    assert session.get(f"{deployment.url}/v2/images/{image}").status_code == 503
