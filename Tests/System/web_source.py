"""A web server to read images from, which can be slow, silent or dishonest. On the loopback interface."""

import http.server
import re
import ssl
import threading


class WebSource:
    """Serves `files` (path to bytes). What `behaviour` says of a path wins: a function of the handler."""

    def __init__(self, context=None):
        self.files = {}
        self.behaviour = {}
        self.requests = []
        source = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                source.answer(self)

            do_HEAD = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_port
        self.url = f"http{'s' if context else ''}://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @staticmethod
    def tls(certificate, key):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        return context

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def add(self, path, data):
        self.files[path] = data
        return self.url + path

    def answer(self, handler):
        path = handler.path
        self.requests.append((handler.command, path, dict(handler.headers)))
        if path in self.behaviour:
            return self.behaviour[path](handler)
        data = self.files.get(path)
        if data is None:
            return self.send(handler, 404)
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", handler.headers.get("Range", ""))
        if not wanted:
            return self.send(handler, 200, data)
        first, last = int(wanted[1]), min(int(wanted[2]), len(data) - 1)
        part = {"Content-Range": f"bytes {first}-{last}/{len(data)}"}
        return self.send(handler, 206, data[first : last + 1], part)

    @staticmethod
    def send(handler, status, data=b"", headers=None, length=None):
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(data) if length is None else length))
        for name, value in (headers or {}).items():
            handler.send_header(name, value)
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(data)
        if length is not None and length != len(data):
            handler.close_connection = True

    def redirect(self, path, target, status=302):
        self.behaviour[path] = lambda handler: self.send(handler, status, headers={"Location": target})
        return self.url + path
