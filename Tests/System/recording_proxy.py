"""A TCP relay between an API and its registry that can keep a request to itself."""

import socket
import threading


class RecordingProxy:
    """Relays to `target_port`. While `hold` is set, a request that begins with it is kept and never delivered."""

    def __init__(self, target_port):
        self.target_port = target_port
        self.hold = None
        self.held = b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.target_port))
            except OSError:
                client.close()
                continue
            threading.Thread(target=self._relay, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self._relay, args=(server, client, False), daemon=True).start()

    def _relay(self, source, sink, is_request):
        try:
            while data := source.recv(65536):
                if is_request and self.hold and (self.held or data.startswith(self.hold)):
                    self._keep(source, data)
                    break
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _keep(self, source, data):
        """Reads the request to its end, so that it can be sent again by somebody else."""
        while not self._is_complete(data):
            more = source.recv(65536)
            if not more:
                return
            data += more
        # The first one stays: what comes after it is the caller trying again.
        self.held = self.held or data

    @staticmethod
    def _is_complete(data):
        head, end, body = data.partition(b"\r\n\r\n")
        if not end:
            return False
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                return len(body) >= int(line.split(b":")[1])
        return True
