"""A database that is backed up while it is written, lost, and restored; and stores that are compared with the records."""

import os
import re
import secrets
import shutil
import signal
import sqlite3
import stat
import subprocess
import threading
import time
import urllib.parse

import pytest

import databases
from services import PROGRAMS, ROOT, wait_until
from test_crashes import SIZE, begin_upload, create, download, status_of, upload

on_sqlite = pytest.mark.skipif(databases.KIND != "sqlite", reason="a backup of SQLite")


@pytest.fixture
def deployment(deployments):
    return deployments.start(auth="noauth")


def manage(deployment, *arguments, status=0):
    """What was said, in lines; the exit status has to be `status`, if one is given."""
    command = [PROGRAMS / "glance-manage", "--config-file", deployment.registry_configuration, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    said = done.stderr + done.stdout
    for secret in deployment.secret_texts():
        assert secret not in said
    assert status is None or done.returncode == status, said
    return said.splitlines()


def check(deployment, status=0, *arguments):
    """The findings of a check."""
    said = manage(deployment, "data", "check", *arguments, status=status)
    assert said[-1].startswith("Compared ")
    return [line for line in said[:-1] if not line.startswith("glance-manage: ")]


def stored(deployment, size=4096):
    """An active image and its data."""
    image, data = create(deployment), secrets.token_bytes(size)
    assert upload(deployment, image, data).status_code == 204
    return image, data


def file_of(deployment, image):
    return deployment.stores["default"] / image


def stop(deployment):
    for program in reversed(deployment.programs):
        assert program.stop() == 0, program.log[-3000:]


def start(deployment):
    for program in deployment.programs:
        deployment.start_program(program)


class Writers:
    """Images that are made, uploaded, changed and deleted without a pause, to be backed up in the middle of it."""

    def __init__(self, deployment, count=3):
        self.deployment = deployment
        self.ends = threading.Event()
        self.problems = []
        # Per image: its data, from when its upload was answered for; None again before it is deleted.
        self.kept = {}
        self.threads = [threading.Thread(target=self.write, args=(n,)) for n in range(count)]

    def write(self, number):
        try:
            session = self.deployment.session()
            turn = 0
            while not self.ends.is_set():
                image, data = stored(self.deployment, 1000 + turn)
                self.kept[image] = data
                url = f"{self.deployment.url}/v2/images/{image}"
                assert session.put(f"{url}/tags/writer-{number}").status_code == 204
                if turn % 3 == 2:
                    del self.kept[image]
                    assert session.delete(url).status_code == 204
                turn += 1
        except Exception as error:
            self.problems.append(error)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ends.set()
        for thread in self.threads:
            thread.join(60)
        assert self.problems == []


@on_sqlite
def test_a_database_is_backed_up_while_it_is_written_and_served_again_when_it_is_lost(deployment):
    before = dict(stored(deployment) for _ in range(3))
    copies = [deployment.directory / f"copy-{n}.db" for n in range(5)]
    with Writers(deployment) as writers:
        for copy in copies:
            time.sleep(0.2)
            kept = dict(writers.kept)
            manage(deployment, "backup", str(copy))
    for copy in copies:
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        with sqlite3.connect(f"file:{copy}?mode=ro&immutable=1", uri=True) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert database.execute("PRAGMA foreign_key_check").fetchall() == []
            assert database.execute("PRAGMA journal_mode").fetchall() == [("delete",)]
    left = {path.name for path in deployment.directory.glob("copy-*")}
    assert left == {copy.name for copy in copies}, "a backup leaves nothing but itself"
    with sqlite3.connect(f"file:{copies[-1]}?mode=ro&immutable=1", uri=True) as database:
        active = {row[0] for row in database.execute("SELECT id FROM images WHERE status = 'active'")}
        known = {row[0] for row in database.execute("SELECT id FROM images")}
        located = {row[0] for row in database.execute("SELECT image_id FROM image_locations")}
    assert set(before) | set(kept) <= known, "what was answered for before the backup began is in it"

    stop(deployment)
    # The database is destroyed, its log with it.
    for path in deployment.directory.glob("glance.db*"):
        path.write_bytes(secrets.token_bytes(8192))
    # What was deleted after the backup is in it, and its data is gone; what was stored after it is not. Nothing else.
    deleted = {image for image in active if not file_of(deployment, image).exists()}
    later = {path for path in deployment.stores["default"].iterdir() if path.is_file() and path.name not in located}
    status = 2 if deleted else 3 if later else 0
    said = manage(deployment, "restore", "--force", str(copies[-1]), status=status)
    assert any("restored, " in line for line in said)
    assert {line.split()[1] for line in said if line.startswith("lacking")} == deleted
    assert {line.split()[1].rstrip(":") for line in said if line.startswith("unrecorded")} == {str(path) for path in later}
    database = deployment.directory / "glance.db"
    assert stat.S_IMODE(database.stat().st_mode) == 0o600
    assert (deployment.directory / "glance.db.replaced-1").exists(), "what was there is kept"

    start(deployment)
    for image, data in before.items():
        assert download(deployment, image) == data
    for image in active - deleted:
        if image in writers.kept:
            assert download(deployment, image) == writers.kept[image]
    image, data = stored(deployment)
    assert download(deployment, image) == data


def test_data_that_is_missing_and_data_that_nobody_knows_are_named(deployment):
    (whole, _), (lost, _), (cut, _) = (stored(deployment) for _ in range(3))
    assert check(deployment) == []
    file_of(deployment, lost).unlink()
    file_of(deployment, cut).write_bytes(b"short")
    stray = deployment.stores["default"] / "11111111-2222-4333-8444-555555555555"
    stray.write_bytes(b"stray")
    attempt = deployment.stores["default"] / f".uploads/{whole}.gone"
    attempt.write_bytes(b"half of it")
    staged = deployment.staging / "21111111-2222-4333-8444-555555555555"
    staged.write_bytes(b"staged")
    folder = deployment.stores["default"] / "31111111-2222-4333-8444-555555555555"
    folder.mkdir()
    (folder / "inside").write_bytes(b"inside")
    link = deployment.stores["default"] / "41111111-2222-4333-8444-555555555555"
    link.symlink_to(file_of(deployment, whole))
    # What is no data: the file system's own.
    (deployment.stores["default"] / ".nfs0001").write_bytes(b"")
    (deployment.stores["default"] / "lost+found").mkdir()

    expected = {
        f"lacking {lost} file://{file_of(deployment, lost)}: no data",
        f"lacking {cut} file://{file_of(deployment, cut)}: 5 bytes instead of 4096",
        f"unrecorded {stray}: 5 bytes",
        f"unrecorded {attempt}: 10 bytes",
        f"unrecorded {staged}: 6 bytes",
        f"unrecorded {folder}: a directory, not looked into",
        f"unrecorded {link}: a symbolic link, not followed",
    }
    before = {path for path in deployment.directory.rglob("*")}
    assert set(check(deployment, 2)) == expected
    assert {path for path in deployment.directory.rglob("*")} >= before, "nothing is deleted"

    assert deployment.session().delete(f"{deployment.url}/v2/images/{lost}").status_code == 204
    assert deployment.session().delete(f"{deployment.url}/v2/images/{cut}").status_code == 204
    # Other bytes than those that were stored are not the image's, and stay when it is deleted.
    left = (stray, attempt, staged, folder, link, file_of(deployment, cut))
    findings = check(deployment, 3)
    assert {line.split()[1].rstrip(":") for line in findings} == {str(path) for path in left}
    (folder / "inside").unlink()
    folder.rmdir()
    for path in set(left) - {folder}:
        path.unlink()
    assert check(deployment) == []


def test_uploads_under_way_and_staged_data_are_no_findings(deployment):
    image, staged = create(deployment), create(deployment)
    connection = begin_upload(deployment, image, secrets.token_bytes(SIZE), SIZE // 2)
    data = secrets.token_bytes(5000)
    headers = {"Content-Type": "application/octet-stream"}
    url = f"{deployment.url}/v2/images/{staged}/stage"
    assert deployment.session().put(url, data=data, headers=headers).status_code == 204
    staging = create(deployment)
    other = begin_upload(deployment, staging, data, 1000, path="stage", status="uploading")
    assert check(deployment) == []
    (deployment.staging / staged).unlink()
    assert check(deployment, 2) == [f"lacking {staged} file://{deployment.staging}/{staged}: no data"]
    # On another machine nobody can tell.
    assert check(deployment, 0, "--host", "elsewhere") == []
    connection.close()
    other.close()


def test_a_check_while_services_write_finds_nothing(deployment):
    with Writers(deployment):
        for _ in range(6):
            assert check(deployment) == []


def test_several_stores_with_several_directories_are_looked_at(deployments):
    deployment = deployments.prepare(auth="noauth", stores=("fast", "slow"))
    more = deployment.directory / "images-more"
    deployment.options = {"api": {"fast": [f"filesystem_store_datadirs = {more}//:200"]}}
    deployment.write_secrets()
    deployment.write_registry_configuration()
    deployment.write_api_configuration(deployment.api)
    lines = deployment.api.configuration.read_text().splitlines()
    taken = f"filesystem_store_datadir = {deployment.stores['fast']}"
    deployment.api.configuration.write_text("\n".join(line for line in lines if line != taken))
    deployment.manage("db", "sync")
    start(deployment)
    image, data = stored(deployment)
    assert (more / image).read_bytes() == data
    assert check(deployment) == []
    (more / image).unlink()
    (deployment.stores["slow"] / "stray").write_bytes(b"")
    assert set(check(deployment, 2)) == {
        f"lacking {image} file://{more}/{image}: no data",
        f"unrecorded {deployment.stores['slow']}/stray: 0 bytes",
    }
    shutil.rmtree(more)
    assert any("is its file system mounted?" in line for line in manage(deployment, "data", "check", status=2))
    text = deployment.api.configuration.read_text().replace(str(more), str(deployment.directory / "elsewhere"))
    deployment.api.configuration.write_text(text)
    assert f"lacking {image} file://{more}/{image}: no configured store has this directory" in check(deployment, 2)


@on_sqlite
def test_what_would_destroy_something_is_refused(deployment):
    image, data = stored(deployment)
    copy = deployment.directory / "copy.db"
    manage(deployment, "backup", str(copy))
    content = copy.read_bytes()
    assert "is there already" in manage(deployment, "backup", str(copy), status=1)[-1]
    assert copy.read_bytes() == content
    database = deployment.directory / "glance.db"

    # The registry runs.
    assert "in use by another registry" in manage(deployment, "restore", "--force", str(copy), status=1)[-1]
    stop(deployment)
    # Something else has it open.
    with sqlite3.connect(database) as other:
        other.execute("SELECT count(*) FROM images").fetchall()
        assert "in use by another program" in manage(deployment, "restore", "--force", str(copy), status=1)[-1]
    other.close()
    assert "--force" in manage(deployment, "restore", str(copy), status=1)[-1]

    for name, content in {"text": b"no database" * 100, "empty": b"", "half": copy.read_bytes()[: 4096 * 5]}.items():
        wrong = deployment.directory / f"{name}.backup"
        wrong.write_bytes(content)
        manage(deployment, "restore", "--force", str(wrong), status=1)
    foreign = deployment.directory / "foreign.backup"
    with sqlite3.connect(foreign) as other:
        other.execute("CREATE TABLE pictures (id)")
    other.close()
    assert "no database of a registry" in manage(deployment, "restore", "--force", str(foreign), status=1)[-1]
    assert "cannot be read" in manage(deployment, "restore", str(copy) + "-not-there", status=1)[-1]
    assert "is no file" in manage(deployment, "restore", "--force", str(deployment.directory), status=1)[-1]
    assert "is the database itself" in manage(deployment, "restore", "--force", str(database), status=1)[-1]
    left = {path.name for path in deployment.directory.glob("glance.db*")}
    assert left == {"glance.db", "glance.db.lock"}
    # Everything is as it was.
    start(deployment)
    assert download(deployment, image) == data
    stop(deployment)

    assert any("is kept as" in line for line in manage(deployment, "restore", "--force", str(copy)))
    # A schema without rows is nothing that anybody would miss.
    for path in deployment.directory.glob("glance.db*"):
        path.unlink()
    deployment.manage("db", "sync")
    manage(deployment, "restore", str(copy))
    assert {path.name for path in deployment.directory.glob("glance.db*")} == {"glance.db", "glance.db.lock"}
    start(deployment)
    assert download(deployment, image) == data


@on_sqlite
def test_a_backup_that_is_killed_leaves_nothing_under_its_name(deployment):
    stored(deployment)
    copy = deployment.directory / "copy.db"
    command = [PROGRAMS / "glance-manage", "--config-file", deployment.registry_configuration, "backup", copy]
    for attempt in range(12):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.005 * attempt)
        process.send_signal(signal.SIGKILL)
        process.wait(30)
        if copy.exists():
            with sqlite3.connect(f"file:{copy}?mode=ro&immutable=1", uri=True) as database:
                assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            copy.unlink()
    # What the broken runs left is in nobody's way.
    manage(deployment, "backup", str(copy))
    assert not (deployment.directory / "copy.db.unfinished").exists()
    assert not list(deployment.directory.glob("copy.db.unfinished-*"))


@on_sqlite
def test_stores_that_are_not_configured_stop_a_restore_before_it_begins(deployment):
    stored(deployment)
    copy = deployment.directory / "copy.db"
    manage(deployment, "backup", str(copy))
    stop(deployment)
    database = deployment.directory / "glance.db"
    before = database.read_bytes()
    deployment.api.configuration.rename(deployment.directory / "other.conf")
    if os.path.exists("/etc/glance/glance-api.conf"):
        pytest.skip("this machine has a glance-api.conf")
    assert "--api-config-file" in manage(deployment, "restore", "--force", str(copy), status=1)[-1]
    assert database.read_bytes() == before
    named = ["--api-config-file", str(deployment.directory / "other.conf")]
    manage(deployment, "restore", "--force", *named, str(copy))
    manage(deployment, "restore", "--force", "--no-check", str(copy))
    assert check(deployment, 0, *named) == []


@pytest.mark.skipif(databases.POSTGRESQL is None, reason="GLANCE_TEST_POSTGRESQL names no database")
def test_postgresql_is_backed_up_by_its_own_tools(deployments, monkeypatch):
    monkeypatch.setattr(databases, "KIND", "postgresql")
    deployment = deployments.start(auth="noauth")
    assert "pg_dump" in manage(deployment, "backup", str(deployment.directory / "copy.db"), status=1)[-1]
    assert "pg_restore" in manage(deployment, "restore", str(deployment.directory / "copy.db"), status=1)[-1]
    before = dict(stored(deployment) for _ in range(2))
    dump = deployment.directory / "glance.dump"
    schema = deployment.database.schema
    with Writers(deployment, 2) as writers:
        time.sleep(0.5)
        kept = dict(writers.kept)
        tool = ["pg_dump", "--format=custom", f"--file={dump}", f"--schema={schema}", databases.POSTGRESQL]
        subprocess.run(tool, check=True, timeout=60)
    stop(deployment)
    deployment.database.remove()
    restore = ["pg_restore", "--no-owner", "--exit-on-error", "--single-transaction", f"--dbname={databases.POSTGRESQL}", dump]
    subprocess.run(restore, check=True, timeout=60)
    ids = {row[0] for row in deployment.database.rows("SELECT id FROM images")}
    located = {row[0] for row in deployment.database.rows("SELECT image_id FROM image_locations")}
    assert set(before) | set(kept) <= ids
    # What happened after the dump is all that may be found.
    found = check(deployment, None)
    assert not [line for line in found if any(image in line for image in before)]
    assert not [line for line in found if line.startswith("unrecorded") and any(image in line for image in located)]
    start(deployment)
    for image, data in before.items():
        assert download(deployment, image) == data
        assert status_of(deployment, image) == "active"


@pytest.mark.skipif(databases.POSTGRESQL is None, reason="GLANCE_TEST_POSTGRESQL names no database")
def test_an_earlier_releases_backup_of_postgresql_is_restored_as_documented(tmp_path):
    text = (ROOT / "docs/deployment.md").read_text()
    made, restored = re.search(r"^    (createdb .*)\n    (pg_restore .*\\\n.*)$", text, re.M).groups()
    names = [f"test_{secrets.token_hex(6)}" for _ in range(2)]

    def url(name):
        return urllib.parse.urlsplit(databases.POSTGRESQL)._replace(path=f"/{name}").geturl()

    def ask(name, statement):
        command = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", url(name), "-c", statement]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.split()

    def is_dropped(name):
        # Not by force, which may not end an autovacuum.
        try:
            ask(server.path.strip("/"), f"DROP DATABASE IF EXISTS {name}")
        except subprocess.CalledProcessError:
            return False
        return True

    def run(command, **replaced):
        for old, new in replaced.items():
            command = command.replace(old, new)
        subprocess.run(command, shell=True, check=True, timeout=60)

    server = urllib.parse.urlsplit(databases.POSTGRESQL)
    environment = f"PGPASSWORD={server.password} "
    made = made.replace("--host=db.example --username=postgres", f"-h {server.hostname} -p {server.port} -U {server.username}")
    made = environment + made.replace("--owner=glance", f"--owner={server.username}")
    configuration = tmp_path / "registry.conf"
    sync = [PROGRAMS / "glance-manage", "--config-file", configuration, "db", "sync"]
    dump = tmp_path / "glance.dump"
    try:
        run(made, glance_restored=names[0])
        release = ROOT / "Tests/Releases/0001/postgresql.sql"
        subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url(names[0]), "-f", release], check=True, timeout=60)
        subprocess.run(["pg_dump", "--format=custom", f"--file={dump}", url(names[0])], check=True, timeout=60)
        # The upgrade that is to be undone.
        configuration.write_text(f"[database]\nconnection = {url(names[0])}\n")
        subprocess.run(sync, check=True, timeout=120)
        run(made, glance_restored=names[1])
        place = {'"postgresql://glance@db.example/glance_restored"': f'"{url(names[1])}"', "/backup/glance.dump": str(dump)}
        run(restored, **place)
        assert ask(names[1], "SELECT max(number) FROM schema_migrations") == ["1"]
        configuration.write_text(f"[database]\nconnection = {url(names[1])}\n")
        subprocess.run(sync, check=True, timeout=120)
        versions = [ask(name, "SELECT max(number) FROM schema_migrations") for name in names]
        assert versions[0] == versions[1] != ["1"]
    finally:
        for name in names:
            assert wait_until(lambda: is_dropped(name), seconds=60)
