"""A file system that stops answering, and comes back, below one store of a real program."""

import os

from preloads import compiled


class HangingDirectory:
    """Calls of a program about one directory hang while this is entered; hanging_files.c says how."""

    def __init__(self, directory, work):
        self.switch = work / "hanging"
        self.environment = {
            "LD_PRELOAD": compiled("hanging_files.c", work),
            "HANGING_DIRECTORY": os.path.realpath(directory),
            "HANGING_SWITCH": str(self.switch),
        }

    def __enter__(self):
        self.switch.touch()
        return self

    def __exit__(self, *_):
        self.switch.unlink(missing_ok=True)
