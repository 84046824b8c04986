"""Checks Keystone tokens before an image service that believes identity headers (auth_strategy = trusted_headers).

The filter is the real `auth_token` of keystonemiddleware, deferring its decision as Glance's own pipeline does: it marks
a token valid or invalid, and the service decides what that means. Behind it is a reverse proxy that never holds
more than a piece of a body, in either direction. For the conformance run, on loopback; not hardened for more.

    IMAGE_SERVICE=127.0.0.1:9293 KEYSTONE_URL=http://127.0.0.1:15000 KEYSTONE_PASSWORD=secret \\
        gunicorn --worker-class gthread --threads 16 --bind 127.0.0.1:9292 keystone_proxy:application

gunicorn, because it hands over a request's body while it arrives, chunked or not; waitress and uWSGI store it first or
leave chunks to the application. Two things differ from a direct connection: gunicorn answers `Expect: 100-continue`
itself, and the `Date` and `Server` of answers are its own. Request bodies go on in pieces of 64 KiB: a slower client's
bytes wait for the rest of their piece, or for the end.
"""

import http.client
import os
import select

from keystonemiddleware import auth_token

PIECE = 65536
TIMEOUT_SECONDS = 120

# RFC 9110 §7.6.1: for one connection only. Date and Server are gunicorn's, Expect it has answered.
HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
NOT_FORWARDED = HOP_BY_HOP | {"content-length", "expect"}
NOT_RETURNED = HOP_BY_HOP | {"date", "server"}

# Who somebody is may only be said by the filter. The filter deletes these as well; the wall is here too because the
# service behind trusts every one of them.
IDENTITY_PREFIXES = ("HTTP_X_USER", "HTTP_X_PROJECT", "HTTP_X_TENANT", "HTTP_X_DOMAIN", "HTTP_X_ROLE", "HTTP_X_SERVICE_")
IDENTITY_NAMES = {"HTTP_X_IDENTITY_STATUS", "HTTP_X_IS_ADMIN_PROJECT", "HTTP_OPENSTACK_SYSTEM_SCOPE"}


def without_claims(application):
    """Removes the identity headers that a client sent."""

    def filtered(environ, start_response):
        for name in list(environ):
            claims = name.startswith(IDENTITY_PREFIXES) or name in IDENTITY_NAMES
            if claims and name != "HTTP_X_SERVICE_TOKEN":
                del environ[name]
        return application(environ, start_response)

    return filtered


class BrokenBody(Exception):
    """One side ended in the middle of a body: the other side's connection must end as abruptly."""


class ReverseProxy:
    """Passes a request on to one server, and its answer back."""

    def __init__(self, address):
        self.address = address

    def __call__(self, environ, start_response):
        connection = http.client.HTTPConnection(self.address, timeout=TIMEOUT_SECONDS)
        try:
            self.send(connection, environ)
            response = connection.getresponse()
        except ConnectionRefusedError:
            connection.close()
            start_response("502 Bad Gateway", [("Content-Type", "text/plain")])
            return [b"The image service does not answer.\n"]
        except BaseException:
            connection.close()
            raise
        refused = response.status == 401
        headers = [
            (name, value)
            for name, value in response.getheaders()
            # The filter puts its own challenge on every 401.
            if name.lower() not in NOT_RETURNED and not (refused and name.lower() == "www-authenticate")
        ]
        start_response(f"{response.status} {response.reason}", headers)
        return Answer(connection, response)

    def send(self, connection, environ):
        # As the client wrote it: the service's own decoding is under test.
        target = environ["RAW_URI"]
        connection.putrequest(environ["REQUEST_METHOD"], target, skip_host=True, skip_accept_encoding=True)
        for name, value in forwarded_headers(environ):
            connection.putheader(name, value)
        length = environ.get("CONTENT_LENGTH")
        chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
        if chunked:
            connection.putheader("Transfer-Encoding", "chunked")
        elif length:
            connection.putheader("Content-Length", length)
        connection.endheaders()
        if chunked:
            self.send_body(connection, environ["wsgi.input"], None)
        elif length:
            self.send_body(connection, environ["wsgi.input"], int(length))

    def send_body(self, connection, source, length):
        """Sends `length` bytes, or chunks until the end when it is None; stops early once there is an answer."""
        left = length
        try:
            while left is None or left > 0:
                piece = source.read(PIECE if left is None else min(PIECE, left))
                if not piece:
                    if left is not None:
                        raise BrokenBody(f"the client left {left} bytes before the end")
                    connection.send(b"0\r\n\r\n")
                    return
                if select.select([connection.sock], [], [], 0)[0]:
                    return
                connection.send(piece if left is not None else b"%x\r\n%b\r\n" % (len(piece), piece))
                if left is not None:
                    left -= len(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass  # The service stopped reading: what it said before is still to be read.


class Answer:
    """The body of an answer, as it comes."""

    def __init__(self, connection, response):
        self.connection = connection
        self.response = response
        # None for chunks; http.client knows that a HEAD, 204 or 304 has none.
        self.left = response.length

    def __iter__(self):
        while self.left is None or self.left > 0:
            piece = self.response.read1(PIECE if self.left is None else min(PIECE, self.left))
            if not piece:
                if self.left is not None:
                    raise BrokenBody(f"the service left {self.left} bytes before the end")
                return
            if self.left is not None:
                self.left -= len(piece)
            yield piece

    def close(self):
        self.connection.close()


def forwarded_headers(environ):
    """The request's headers, with those that the filter added."""
    if environ.get("CONTENT_TYPE"):
        yield "Content-Type", environ["CONTENT_TYPE"]
    for key, value in environ.items():
        name = key.removeprefix("HTTP_").replace("_", "-").title()
        # The filter sets what a token does not have to None.
        if key.startswith("HTTP_") and value is not None and name.lower() not in NOT_FORWARDED:
            yield name, str(value).encode("latin-1", "replace")
    yield "Connection", "close"


def make_application(variables):
    identity = variables["KEYSTONE_URL"]
    settings = {
        "delay_auth_decision": "true",
        "auth_type": "password",
        "auth_url": identity,
        "www_authenticate_uri": identity,
        "username": variables.get("KEYSTONE_SERVICE_USER", "glance"),
        "password": variables["KEYSTONE_PASSWORD"],
        "project_name": variables.get("KEYSTONE_SERVICE_PROJECT", "service"),
        "user_domain_id": "default",
        "project_domain_id": "default",
        # The service asks for nothing in it, and a header of many kilobytes would come with every request.
        "include_service_catalog": "false",
    }
    return without_claims(auth_token.AuthProtocol(ReverseProxy(variables["IMAGE_SERVICE"]), settings))


def __getattr__(name):
    # Made when gunicorn asks for it, so that the parts can be imported without a Keystone.
    if name == "application":
        return make_application(os.environ)
    raise AttributeError(name)
