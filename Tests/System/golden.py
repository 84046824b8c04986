"""Exchanges over the wire as golden/*.json keep them: what is sent, and the whole of what is answered.

A file is a scenario: a deployment, and exchanges in order, each on a connection of its own. Ids that clients may choose
begin with 00000000-; whatever differs from run to run is replaced by a word in angle brackets.

    {"about": "…", "deployment": {"stores": ["fast"]}, "exchanges": [
      {"request": {"as": "member", "method": "GET", "target": "/v2/images", "headers": {…}, "json": …},
       "answer": {"status": "HTTP/1.1 200 OK", "headers": {…}, "body": …}}]}

A request's body is `json`, `text`, or `repeat` (a text and how often); a header may be such a pair as well. `meanwhile` is a request that is sent and answered while half of the body has gone out. Instead of a request there
may be `"do": "kill registry"` or another of ACTIONS.

In a target and in headers `{upload}` stands for the last upload that was begun, `{upload-1}` for the one before it.

A scenario's `source` names what a web server serves (path to text); `{source}` in requests stands for its URL.
"""

import base64
import contextlib
import json
import pathlib
import re

from services import ROOT, User, wait_until
from web_source import WebSource
from wire import Connection, exchange, head

FOLDER = pathlib.Path(__file__).parent / "golden"
DOCUMENT = ROOT / "docs/openapi.json"
UUID = re.compile(r"(?!00000000-)\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")

ACTIONS = {
    "kill registry": lambda deployment: deployment.registry.kill(),
    "start registry": lambda deployment: deployment.restart(deployment.registry),
    "disable": lambda deployment: (deployment.directory / "disabled").write_text("closed"),
    "enable": lambda deployment: (deployment.directory / "disabled").unlink(),
}


@contextlib.contextmanager
def source(scenario):
    """The web server of a scenario; None where it names none."""
    if "source" not in scenario:
        yield None
        return
    server = WebSource()
    server.files = {path: text.encode() for path, text in scenario["source"].items()}
    try:
        yield server
    finally:
        server.close()


def start(deployments, scenario):
    """The deployment of a scenario; `{directory}` in its options stands for where it is."""
    shape = dict(scenario.get("deployment", {}))
    options = shape.pop("options", {})
    deployment = deployments.prepare(**shape)
    deployment.users["visitor"] = User("visitor", "demo", "visitor")
    deployment.options = json.loads(json.dumps(options).replace("{directory}", str(deployment.directory)))
    return deployment.start()


def bytes_of(request):
    if "json" in request:
        return json.dumps(request["json"]).encode()
    if "repeat" in request:
        text, count = request["repeat"]
        return text.encode() * count
    return request.get("text", "").encode()


def headers_of(deployment, request):
    headers = {"Host": f"127.0.0.1:{deployment.api.port}"}
    if user := request.get("as"):
        who = deployment.users[user]
        headers["Authorization"] = "Basic " + base64.b64encode(f"{who.name}:{who.password}".encode()).decode()
    if "json" in request:
        headers["Content-Type"] = "application/json"
    headers.update(request.get("headers", {}))
    body = bytes_of(request)
    if body and "Transfer-Encoding" not in headers:
        headers["Content-Length"] = len(body)
    return {name: value[0] * value[1] if isinstance(value, list) else value for name, value in headers.items()}


def answer_to(deployment, request):
    """What comes over the wire for a request."""
    headers, body = headers_of(deployment, request), bytes_of(request)
    if "meanwhile" not in request:
        return exchange(deployment.api.port, request["method"], request["target"], headers, body)
    with Connection(deployment.api.port) as connection:
        connection.send(head(request["method"], request["target"], headers))
        connection.send(body[: len(body) // 2])
        record = request["target"].rpartition("/")[0]
        session = deployment.session()
        url = f"{deployment.url}{record}"
        assert wait_until(lambda: session.get(url).json()["status"] in ("saving", "uploading")), "it did not begin"
        answer_to(deployment, request["meanwhile"])
        connection.send(body[len(body) // 2 :])
        return connection.answer()


def normal(deployment, answer, with_body=True, server=None):
    """An answer in the form that is kept."""

    def same(text):
        if server:
            text = text.replace(server.url, "<source>")
        text = text.replace(deployment.url, "<base>").replace(f"127.0.0.1:{deployment.api.port}", "<host>")
        text = text.replace(str(deployment.directory), "<directory>")
        return TIME.sub("<time>", UUID.sub("<uuid>", text))

    lines = answer.raw.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(": ")
        assert name not in headers, f"{name} is there twice"
        # Whether an answer overtook the rest of its request is a matter of moments.
        if name.lower() != "connection":
            headers[name] = same(value)
    for name, word in (("Date", "<date>"), ("ETag", "<entity tag>"), ("Upload-Expires", "<date>")):
        for found in [known for known in headers if known.lower() == name.lower()]:
            headers[found] = word
    body = answer.body
    for name in [known for known in headers if known.lower() == "content-length"]:
        if headers[name] == str(len(body)):
            headers[name] = "<length>"
    text = same(body.decode())
    is_json = any(n.lower() == "content-type" and v == "application/json" for n, v in headers.items())
    kept = json.loads(text) if is_json and text else text
    return {"status": lines[0], "headers": dict(sorted(headers.items())), "body": kept if with_body else "<any>"}


def play(deployment, exchanges, server=None):
    """Each exchange with the answer that came this time."""
    uploads = []
    for one in exchanges:
        if "do" in one:
            ACTIONS[one["do"]](deployment)
            continue
        is_fixed = one.get("answer", {}).get("body") != "<any>"
        text = json.dumps(one["request"])
        if server:
            text = text.replace("{source}", server.url)
        for back, name in enumerate(reversed(uploads)):
            text = text.replace(f"{{upload-{back}}}" if back else "{upload}", name)
        answer = answer_to(deployment, json.loads(text))
        if "/uploads/" in answer.headers.get("location", ""):
            uploads.append(answer.headers["location"].rpartition("/")[2])
        yield one, normal(deployment, answer, with_body=is_fixed, server=server)


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def write(path, scenario):
    path.write_text(json.dumps(scenario, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


# --- what the document promises ---------------------------------------------------------------------------------


def promises():
    """Every operation and status of docs/openapi.json as ("GET /path", "200")."""
    methods = {"get", "head", "post", "put", "patch", "delete", "options"}
    for path, item in read(DOCUMENT)["paths"].items():
        for method in methods & item.keys():
            for status in item[method]["responses"]:
                yield f"{method.upper()} {path}", status


def templates():
    """The document's paths, those without placeholders first."""
    paths = read(DOCUMENT)["paths"]
    found = [(path, re.compile("^" + re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)) + "$")) for path in paths]
    return sorted(found, key=lambda one: "{" in one[0])


def operation_of(request, known):
    """ "GET /path" of the document for a request; None for what it does not describe."""
    target = request["target"].partition("?")[0]
    for path, pattern in known:
        if pattern.match(target):
            return f"{request['method']} {path}"
    return None
