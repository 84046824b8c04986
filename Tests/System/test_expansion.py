"""`glance-manage db expand` on PostgreSQL, killed at whatever it was doing: it is run again and completes."""

import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest

import databases
from services import PROGRAMS, ROOT, Deployment, wait_until

pytestmark = pytest.mark.skipif(not databases.POSTGRESQL, reason="GLANCE_TEST_POSTGRESQL names no database")

# So many that their indexes are made beside writers.
IMAGES = 6000
ROWS = f"""
    CREATE TEMPORARY TABLE numbers AS
        SELECT n, lpad(to_hex(n), 8, '0') || '-0000-4000-8000-' || lpad(to_hex(n), 12, '0') AS id
        FROM generate_series(100, {IMAGES + 99}) n;
    INSERT INTO images (id, name, status, visibility, protected, os_hidden, owner, min_disk, min_ram, size, checksum,
        os_hash_value, created_at, updated_at, revision)
        SELECT id, 'image ' || n, 'active', 'shared', 0, 0, 'project ' || n % 3, 0, 0, n, md5(id), md5(id) || md5(id),
            n, n, 1 FROM numbers;
    INSERT INTO image_properties (image_id, name, value) SELECT id, 'os_distro', 'ubuntu' FROM numbers;
    INSERT INTO image_tags (image_id, value, position) SELECT id, 'lts', 0 FROM numbers;
    INSERT INTO image_locations (image_id, url, metadata, store, state, attempt, unfinished, created_at)
        SELECT id, 'file:///' || id, '{{}}', '', 'live', 'attempt ' || id, 0, n FROM numbers;
"""


class Prepared(Deployment):
    """A deployment of which nothing runs, with an empty database."""

    def __init__(self):
        super().__init__(pathlib.Path(tempfile.mkdtemp(prefix="glance-")), auth="noauth")
        self.database = databases.PostgreSQL(self.directory)
        self.write_secrets()
        self.write_registry_configuration()

    def expand(self):
        command = [PROGRAMS / "glance-manage", "--config-file", self.registry_configuration, "db", "expand"]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def schema(self):
        """As pg_dump tells it, with its name left out."""
        command = ["pg_dump", "--schema-only", "--no-owner", "-n", self.database.schema, "-d", databases.POSTGRESQL]
        dump = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
        # Of late it begins and ends with a random key.
        return re.sub(r"(?m)^\\(un)?restrict .*\n", "", dump.replace(self.database.schema, "glance"))

    def progress(self):
        """What is recorded of what was done."""
        tables = [row[0] for row in self.database.rows("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")]
        assert "schema_migrations" in tables
        rows = self.database.rows("SELECT max(number) FROM schema_migrations")
        if "migration_progress" in tables:
            try:
                rows += self.database.rows("SELECT number, step, position FROM migration_progress")
            except AssertionError as error:
                # It has gone meanwhile.
                assert "does not exist" in str(error)
        return rows

    def is_building(self):
        """Whether an index is being made that is of no use yet."""
        return self.database.rows(
            "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE NOT i.indisvalid"
            " AND c.relnamespace = current_schema()::regnamespace"
        )


class Snapshot:
    """Somebody who has looked at the database, and keeps that moment."""

    def __init__(self, url):
        pipe = subprocess.PIPE
        self.session = subprocess.Popen(["psql", "-X", "-q", "-A", "-t", "-d", url], stdin=pipe, stdout=pipe, text=True)
        self.session.stdin.write("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 'taken';\n")
        self.session.stdin.flush()
        assert self.session.stdout.readline().strip() == "taken"

    def release(self):
        self.session.stdin.close()
        assert self.session.wait(30) == 0


@pytest.fixture
def deployments():
    both = [Prepared(), Prepared()]
    try:
        for deployment in both:
            deployment.database.create()
        yield both
    finally:
        for deployment in both:
            deployment.database.remove()
            shutil.rmtree(deployment.directory)


def test_an_expansion_that_is_killed_again_and_again_completes(deployments):
    old, fresh = deployments
    for sql in ((ROOT / "Tests/Releases/0001/postgresql.sql").read_text(), ROWS):
        old.database.ask(old.database.url, sql)
    # While it waits for somebody, with the first index that is half made; then as often as there is something left to do.
    snapshot = Snapshot(old.database.url)
    try:
        process = old.expand()
        assert wait_until(lambda: old.is_building() or process.poll() is not None, 60)
        was_building = old.is_building()
        process.kill()
        process.communicate(timeout=30)
    finally:
        snapshot.release()
    assert was_building, "there was nothing to kill"
    for _ in range(6):
        before = old.progress()
        process = old.expand()
        assert wait_until(lambda: old.progress() != before or process.poll() is not None, 60)
        process.kill()
        process.communicate(timeout=30)
    last = old.expand()
    said = last.communicate(timeout=120)[0]
    assert last.returncode == 0, said

    first = fresh.expand()
    assert first.communicate(timeout=120)[0] and first.returncode == 0
    assert old.schema() == fresh.schema() and old.progress() == fresh.progress()
    for question, answer in [
        ("SELECT count(*) FROM images WHERE sort_name IS DISTINCT FROM COALESCE(name, '')", 0),
        ("SELECT count(*) FROM image_properties WHERE image_created_at IS NULL OR value_prefix IS NULL AND value <> ''", 0),
        ("SELECT count(*) FROM image_tags WHERE image_created_at IS NULL", 0),
        ("SELECT count(*) FROM image_tags t JOIN images i ON i.id = t.image_id"
         " WHERE t.visibility IS DISTINCT FROM i.visibility OR t.owner IS DISTINCT FROM i.owner", 0),
        ("SELECT sum(image_count) FROM project_usage WHERE owner LIKE 'project%'", IMAGES),
        ("SELECT sum(stored_bytes) FROM project_usage WHERE owner LIKE 'project%'", sum(range(100, IMAGES + 100))),
    ]:
        assert old.database.rows(question) == [(answer,)], question
