"""Small libraries that change what a real program sees of its machine (LD_PRELOAD), compiled where they are needed."""

import pathlib
import shutil
import subprocess

import pytest


def compiled(source, work):
    """The library of a C file that stands beside this one."""
    compiler = shutil.which("clang") or shutil.which("cc")
    if not compiler:
        pytest.skip(f"there is no C compiler for {source}")
    source = pathlib.Path(__file__).with_name(source)
    library = work / f"{source.stem}.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-Wall", "-Werror", "-o", library, source, "-ldl"], check=True)
    return str(library)
