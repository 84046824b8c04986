"""Ports of the loopback interface for the programs under test, none of which two takers get at once.

A port that the system names is free only until the next one asks: between its release and the program's start another
process of tests may get it, or a connection of anybody's. So they come from below those that the system hands out, in blocks
each of which belongs to one process of tests: to the one that keeps the block's first port bound.
"""

import os
import pathlib
import socket

BLOCK = 200


def system_first():
    """The first of the ports that the system gives to those who name none."""
    try:
        return int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except OSError:
        return 32768


def bind(port):
    """A socket that holds the port, or nothing when somebody else has it."""
    probe = socket.socket()
    try:
        probe.bind(("127.0.0.1", port))
        return probe
    except OSError:
        probe.close()
        return None


class Ports:
    """Those of this process, in turn, so that one that was let go is not taken again soon."""

    def __init__(self):
        self.claims = []
        self.left = iter(())

    def claim_block(self):
        starts = list(range(20_000, max(system_first(), 22_000) - BLOCK, BLOCK))
        # Not all begin at the same one, which another may have had until a moment ago.
        begin = os.getpid() % len(starts)
        for start in starts[begin:] + starts[:begin]:
            claim = bind(start)
            if claim:
                self.claims.append(claim)
                self.left = iter(range(start + 1, start + BLOCK))
                return
        raise RuntimeError("no block of ports is free")

    def take(self):
        while True:
            for port in self.left:
                probe = bind(port)
                if probe:
                    probe.close()
                    return port
            self.claim_block()


_ports = Ports()


def free_port():
    """A port of the loopback interface that nobody listens on now, and that no other process of tests is given."""
    return _ports.take()
