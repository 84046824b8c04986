"""A Python program that is loaded once and then run again and again, each time in a process of its own.

The stock command lines take a second to load and a tenth of one to do something. So one process loads the program, and
every run of it is a fork of that: the same code with the same arguments, environment, standard streams and exit status.
The modules that a run needed besides are loaded for those after it. Where it comes to starting the program itself, tests
run it from a shell.
"""

import atexit
import gc
import importlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile

# Standard input, output and error of a run come with it.
STREAMS = 3


class WarmProgram:
    """`module` has a `main` that answers an exit status, as an entry point of a package has. Ends with the tests' process."""

    def __init__(self, name, module, environment):
        self.home = tempfile.TemporaryDirectory(prefix="glance-client-")
        self.socket, other = socket.socketpair()
        self.process = subprocess.Popen(
            [sys.executable, __file__, str(other.fileno()), name, module],
            stdin=subprocess.DEVNULL,
            cwd=self.home.name,
            env={**environment, "HOME": self.home.name},
            pass_fds=[other.fileno()],
        )
        other.close()

    def run(self, arguments, stdin, cwd, environment, seconds):
        """The exit status, and what it said on standard output and standard error."""
        with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
            what = json.dumps({"arguments": arguments, "cwd": str(cwd), "environment": environment}).encode()
            streams = [stdin, output.fileno(), errors.fileno()]
            socket.send_fds(self.socket, [len(what).to_bytes(4, "big") + what], streams)
            self.socket.settimeout(seconds)
            status = self.socket.recv(1)
            assert status, f"{arguments}: the process that runs them is gone"
            output.seek(0)
            errors.seek(0)
            return status[0], output.read(), errors.read()


def receive(connection):
    """The next run and its streams; nothing when there are to be no more."""
    first, streams, _, _ = socket.recv_fds(connection, 4, STREAMS)
    if not first:
        return None, streams
    assert len(first) == 4 and len(streams) == STREAMS
    left, text = int.from_bytes(first, "big"), b""
    while len(text) < left:
        text += connection.recv(left - len(text))
    return json.loads(text), streams


def become(run, streams):
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(run["cwd"])
    os.environ.clear()
    os.environ.update(run["environment"])
    return run["arguments"]


def load(names):
    for name in names:
        try:
            importlib.import_module(name)
        except Exception:  # Whoever needs it imports it as before.
            continue


def serve(connection):
    """Returns in each process that is to run the program, and at the end."""
    while True:
        run, streams = receive(connection)
        if run is None:
            return None
        notes, notebook = os.pipe()
        # What is loaded stays: no run needs to look for garbage in it.
        gc.freeze()
        child = os.fork()
        if child == 0:
            connection.close()
            os.close(notes)
            known = set(sys.modules)
            atexit.register(lambda: os.write(notebook, "\n".join(n for n in sys.modules if n not in known).encode()))
            return become(run, streams)
        for descriptor in (*streams, notebook):
            os.close(descriptor)
        with open(notes) as loaded:
            names = loaded.read().split()
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        # As a shell tells of a signal.
        connection.send(bytes([status if status >= 0 else 128 - status]))
        load(names)


def main(descriptor, name, module):
    # Its folder comes first on the path of whoever runs a file, and has no part in the program.
    sys.path.remove(str(pathlib.Path(__file__).resolve().parent))
    program = __import__(module, fromlist=["main"])
    arguments = serve(socket.socket(fileno=int(descriptor)))
    if arguments is not None:
        sys.argv = [name, *arguments]
        sys.exit(program.main())


if __name__ == "__main__":
    main(*sys.argv[1:])
