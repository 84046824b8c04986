"""Backups and restores that a full disk or a kill ends half-way: nothing half-done is taken for whole."""

import contextlib
import os
import resource
import signal
import sqlite3
import subprocess
import time

import pytest

import databases
from services import PROGRAMS
from test_backup import manage, start, stop, stored
from test_crashes import download, status_of

pytestmark = pytest.mark.skipif(databases.KIND != "sqlite", reason="a backup of SQLite")
# Beyond what a new database takes.
ROOM = 4 << 20


@contextlib.contextmanager
def small_disk(folder):
    """A file system of its own for `folder`, small enough to be filled."""
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "none", folder], capture_output=True, text=True)
    if made.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {made.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def fill(folder, left):
    """Takes all but `left` bytes."""
    filler = folder / "filler"
    filler.unlink(missing_ok=True)
    free = os.statvfs(folder)
    with filler.open("wb") as file:
        file.truncate(0)
        os.posix_fallocate(file.fileno(), 0, max(1, free.f_bavail * free.f_frsize - left))


def images_of(path):
    """The ids in a database that is whole, as the next who opens it finds it."""
    with contextlib.closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return {row[0] for row in database.execute("SELECT id FROM images WHERE deleted_at IS NULL")}


def test_a_disk_that_is_full_is_told_of_and_leaves_no_backup(deployments):
    deployment = deployments.start(auth="noauth")
    ids = {stored(deployment)[0] for _ in range(3)}
    with small_disk(deployment.directory / "disk") as disk:
        copy = disk / "copy.db"
        for left in (0, 8_192, 65_536, 131_072):
            fill(disk, left)
            said = manage(deployment, "backup", str(copy), status=1)
            assert "full" in said[-1].lower() or "no space" in said[-1].lower(), said
            assert [path.name for path in disk.iterdir()] == ["filler"], "nothing is left in the way"
        (disk / "filler").unlink()
        manage(deployment, "backup", str(copy))
        assert images_of(copy) == ids


def test_a_restore_onto_a_full_disk_changes_nothing(deployments):
    deployment = deployments.prepare(auth="noauth")
    with small_disk(deployment.directory / "disk") as disk:
        deployment.database.path = disk / "glance.db"
        deployment.database.url = f"sqlite:///{disk}/glance.db"
        deployment.start()
        try:
            first, data = stored(deployment)
            copy = deployment.directory / "copy.db"
            manage(deployment, "backup", str(copy))
            second, _ = stored(deployment)
            stop(deployment)
            for left in (0, 8_192, 65_536, 131_072):
                fill(disk, left)
                said = manage(deployment, "restore", "--force", "--no-check", str(copy), status=1)
                assert "full" in said[-1].lower() or "no space" in said[-1].lower(), said
                (disk / "filler").unlink()
                assert images_of(disk / "glance.db") == {first, second}
            manage(deployment, "restore", "--force", "--no-check", str(copy))
            start(deployment)
            assert download(deployment, first) == data
            assert deployment.session().get(f"{deployment.url}/v2/images/{second}").status_code == 404
        finally:
            stop(deployment)


def interrupted(deployment, copy, limit=None, seconds=None):
    """A restore that is ended when it has written a file of `limit` bytes, or after some time; the exit status."""
    command = [PROGRAMS / "glance-manage", "--config-file", deployment.registry_configuration, "restore", "--force"]

    def confine():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    output = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([*command, copy], preexec_fn=None if limit is None else confine, **output)
    if seconds is not None:
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
    return process.wait(60)


def test_a_restore_that_is_killed_leaves_the_old_database_or_the_new_one(deployments):
    deployment = deployments.start(auth="noauth")
    old, data = stored(deployment)
    copy = deployment.directory / "copy.db"
    manage(deployment, "backup", str(copy))
    new, _ = stored(deployment)
    stop(deployment)
    database = deployment.directory / "glance.db"
    size = copy.stat().st_size
    for limit in (0, 1, 4_096, size // 3, size // 2, size - 1):
        assert interrupted(deployment, copy, limit=limit) != 0
        assert images_of(database) == {old, new}, f"ended after {limit} bytes"
    start(deployment)
    assert status_of(deployment, new) == "active"
    stop(deployment)
    seen = set()
    for attempt in range(12):
        interrupted(deployment, copy, seconds=0.01 * attempt)
        seen.add(frozenset(images_of(database)))
        assert seen <= {frozenset({old, new}), frozenset({old})}
    # What they left is in nobody's way.
    manage(deployment, "restore", "--force", str(copy), status=None)
    assert images_of(database) == {old}
    assert not list(deployment.directory.glob("glance.db*unfinished*"))
    start(deployment)
    assert download(deployment, old) == data
