"""A small Keystone for tests: knows the tokens it is told, counts what it is asked, and misbehaves on demand."""

import contextlib
import http.server
import json
import secrets
import threading
import time
import urllib.parse

SERVICE_USER = "glance"
ENDPOINT = "e0d1"
SERVICE = "5e41"


class ScriptedKeystone:
    """Listens on a free loopback port while it is entered. `fault` is None, "slow", "garbage" or "error"."""

    def __init__(self):
        self.service_password = secrets.token_urlsafe(18)
        self.tokens = {}
        # Unified limits: those of everybody by their names, and those of projects by (project, name).
        self.registered_limits = {}
        self.project_limits = {}
        self.service_tokens = []
        self.validations = []
        self.logins = 0
        self.fault = None
        self.slow_seconds = 60
        self.server = None
        self.port = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/v3"

    def issue(self, user, project, roles, seconds=3600):
        """A fresh token of that user."""
        token = "gAAAA" + secrets.token_urlsafe(120)
        self.tokens[token] = document(user, project, roles, seconds)
        return token

    def options(self):
        """The lines of [keystone_authtoken] that lead here."""
        return [
            f"auth_url = {self.url}",
            f"www_authenticate_uri = {self.url}",
            f"username = {SERVICE_USER}",
            f"password = {self.service_password}",
            "user_domain_name = Default",
            "project_name = service",
            "project_domain_name = Default",
            # Also the time that it takes to find out that nobody listens. Whoever asks is patient where that does not
            # matter: the last line counts.
            "http_connect_timeout = 30",
        ]

    def limit_options(self):
        """The lines of [oslo_limit]."""
        return [f"endpoint_id = {ENDPOINT}"]

    def secret_texts(self):
        return [self.service_password, *self.tokens, *self.service_tokens]

    def __enter__(self):
        self.listen()
        return self

    def __exit__(self, *_):
        self.stop()

    def listen(self):
        handler = type("Handler", (Handler,), {"keystone": self})
        self.server = Server(("127.0.0.1", self.port or 0), handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        """Nobody listens any more, and what was connected is cut."""
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server.cut()
            self.server = None


def document(user, project, roles, seconds):
    expiry = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(time.time() + seconds))
    domain = {"id": "default", "name": "Default"}
    return {
        "token": {
            "methods": ["password"],
            "expires_at": expiry,
            "issued_at": expiry,
            "user": {"id": user, "name": user, "domain": domain},
            "project": {"id": project, "name": project, "domain": domain},
            "roles": [{"id": role, "name": role} for role in roles],
        }
    }


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, *arguments):
        self.connections = []
        super().__init__(*arguments)

    def process_request(self, request, client_address):
        self.connections.append(request)
        super().process_request(request, client_address)

    def cut(self):
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(2)

    def handle_error(self, *_):
        """A connection that was cut is no news."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    keystone = None

    def do_POST(self):
        self.keystone.logins += 1
        given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        user = given["auth"]["identity"]["password"]["user"]
        if (user["name"], user["password"]) != (SERVICE_USER, self.keystone.service_password):
            return self.answer(401, {"error": {"code": 401}})
        token = "gAAAA" + secrets.token_urlsafe(120)
        self.keystone.service_tokens.append(token)
        self.answer(201, document(SERVICE_USER, "service", ["service", "admin"], 3600), {"X-Subject-Token": token})

    def do_GET(self):
        keystone = self.keystone
        if self.headers["X-Auth-Token"] not in keystone.service_tokens:
            return self.answer(401, {"error": {"code": 401}})
        url = urllib.parse.urlsplit(self.path)
        if url.path != "/v3/auth/tokens":
            if keystone.fault == "error":
                return self.answer(500, {"error": {"code": 500}})
            return self.tell_limits(url.path, dict(urllib.parse.parse_qsl(url.query)))
        subject = self.headers["X-Subject-Token"]
        keystone.validations.append(subject)
        if keystone.fault == "slow":
            time.sleep(keystone.slow_seconds)
        if keystone.fault == "error":
            return self.answer(500, {"error": {"message": subject}})
        if keystone.fault == "garbage":
            return self.answer(200, f"<html>{subject}")
        known = keystone.tokens.get(subject)
        self.answer(200, known) if known else self.answer(404, {"error": {"code": 404, "message": subject}})

    def tell_limits(self, path, query):
        keystone = self.keystone
        if path == f"/v3/endpoints/{ENDPOINT}":
            return self.answer(200, {"endpoint": {"id": ENDPOINT, "service_id": SERVICE, "region_id": "RegionOne"}})
        if query.get("service_id") != SERVICE or query.get("region_id") != "RegionOne":
            return self.answer(404, {"error": {"code": 404}})
        if path == "/v3/registered_limits":
            found = [{"resource_name": n, "default_limit": v} for n, v in keystone.registered_limits.items()]
            return self.answer(200, {"registered_limits": found})
        found = [
            {"resource_name": name, "project_id": project, "resource_limit": value}
            for (project, name), value in keystone.project_limits.items()
            if project == query["project_id"]
        ]
        self.answer(200, {"limits": found})

    def answer(self, status, body, headers=None):
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        """The tests ask what they want to know."""
