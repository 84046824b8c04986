"""HTTP by hand, for what well-behaved clients cannot send."""

import select
import socket
import time


class Answer:
    """A response as it came over the wire; `status` is 0 when the connection ended without one."""

    def __init__(self, raw):
        self.raw = raw
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split(" ")[1]) if lines[0].startswith("HTTP/1.") else 0
        self.headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.headers[name.strip().lower()] = value.strip()

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:200]!r}>"

    @property
    def is_complete(self):
        if b"\r\n\r\n" not in self.raw:
            return False
        if 100 <= self.status < 200 or self.status in (204, 304):
            return True
        if "content-length" in self.headers:
            return len(self.body) >= int(self.headers["content-length"])
        return self.headers.get("transfer-encoding") == "chunked" and self.body.endswith(b"0\r\n\r\n")


class Connection:
    """A plain connection to a service on the loopback interface."""

    def __init__(self, port, receive_buffer=None, timeout=30):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect(("127.0.0.1", port))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def send_until_answered(self, chunks):
        """Sends chunk after chunk, and stops when the other side says something; the bytes sent."""
        sent = 0
        for chunk in chunks:
            view = memoryview(chunk)
            while view:
                readable, writable, _ = select.select([self.socket], [self.socket], [], 30)
                if readable or not writable:
                    return sent
                try:
                    count = self.socket.send(view)
                except (BrokenPipeError, ConnectionResetError):
                    return sent
                view = view[count:]
                sent += count
        return sent

    def read_some(self, limit=65536):
        """What comes next; empty when the other side closed or broke the connection."""
        try:
            return self.socket.recv(limit)
        except ConnectionResetError:
            return b""

    def is_answered(self):
        """Whether something has come, or the other side has closed."""
        return bool(select.select([self.socket], [], [], 0)[0])

    def answer(self, seconds=30):
        """The next answer, which may be an interim one; whatever came when the time is up or the connection ends."""
        raw = b""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            readable, _, _ = select.select([self.socket], [], [], max(0, deadline - time.monotonic()))
            if not readable:
                break
            data = self.read_some()
            if not data:
                break
            raw += data
            if Answer(raw).is_complete:
                break
        return Answer(raw)


def head(method, target, headers=None):
    """The bytes of a request's head; a header whose value is a list is sent several times."""
    lines = [f"{method} {target} HTTP/1.1".encode()]
    for name, value in {"Host": "127.0.0.1", **(headers or {})}.items():
        for one in value if isinstance(value, list) else [value]:
            lines.append(f"{name}: {one}".encode("latin-1"))
    return b"\r\n".join(lines) + b"\r\n\r\n"


def exchange(port, method, target, headers=None, body=b"", seconds=30):
    """One request and its answer; `body` is bytes, or chunks that stop being sent when an answer comes."""
    with Connection(port) as connection:
        connection.send(head(method, target, headers))
        if isinstance(body, bytes):
            body = [body] if body else []
        connection.send_until_answered(body)
        return connection.answer(seconds)
