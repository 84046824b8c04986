"""A file system that stops answering, and comes back, below one store of a real program."""

import os
import pathlib
import shutil
import subprocess

import pytest


class HangingDirectory:
    """Calls of a program about one directory hang while this is entered; hanging_files.c says how."""

    def __init__(self, directory, work):
        self.switch = work / "hanging"
        compiler = shutil.which("clang") or shutil.which("cc")
        if not compiler:
            pytest.skip("there is no C compiler, which makes a file system hang")
        library = work / "hanging_files.so"
        source = pathlib.Path(__file__).with_name("hanging_files.c")
        subprocess.run([compiler, "-shared", "-fPIC", "-Wall", "-Werror", "-o", library, source, "-ldl"], check=True)
        self.environment = {
            "LD_PRELOAD": str(library),
            "HANGING_DIRECTORY": os.path.realpath(directory),
            "HANGING_SWITCH": str(self.switch),
        }

    def __enter__(self):
        self.switch.touch()
        return self

    def __exit__(self, *_):
        self.switch.unlink(missing_ok=True)
