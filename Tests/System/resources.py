"""What a process holds: open files, threads, memory."""

import dataclasses
import pathlib


@dataclasses.dataclass(frozen=True)
class Resources:
    files: tuple
    sockets: int
    others: int
    threads: int
    resident: int

    @classmethod
    def of(cls, pid, folder):
        """`files` are those of a folder, also where they have no name any more."""
        files, sockets, others = [], 0, 0
        for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir():
            try:
                target = str(entry.readlink())
            except FileNotFoundError:
                continue
            if target.startswith(f"{folder}/"):
                files.append(target)
            elif target.startswith("socket:"):
                sockets += 1
            else:
                others += 1
        lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
        status = dict(line.split(":", 1) for line in lines)
        resident = int(status["VmRSS"].split()[0]) * 1024
        return cls(tuple(sorted(files)), sockets, others, int(status["Threads"]), resident)
