"""Where a deployment keeps its records: a SQLite file, or a schema of a PostgreSQL database.

GLANCE_TEST_DATABASE=postgresql puts every deployment on the database that GLANCE_TEST_POSTGRESQL names (scripts/test
starts one).
"""

import json
import os
import re
import secrets
import sqlite3
import subprocess
import urllib.parse

KIND = os.environ.get("GLANCE_TEST_DATABASE", "sqlite")
POSTGRESQL = os.environ.get("GLANCE_TEST_POSTGRESQL")


def database_for(directory):
    return {"sqlite": SQLite, "postgresql": PostgreSQL}[KIND](directory)


class SQLite:
    kind = "sqlite"
    secrets = ()

    def __init__(self, directory):
        self.path = directory / "glance.db"
        self.url = f"sqlite:///{self.path}"

    def create(self):
        """The file is made by the first who opens it."""

    def remove(self):
        """It goes with its directory."""

    def rows(self, query):
        connection = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=10)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()


class PostgreSQL:
    kind = "postgresql"

    def __init__(self, directory):
        assert POSTGRESQL, "GLANCE_TEST_POSTGRESQL names no database"
        self.schema = "test_" + re.sub("[^a-z0-9]", "", directory.name.lower()) + secrets.token_hex(4)
        mark = "&" if "?" in POSTGRESQL else "?"
        self.url = f"{POSTGRESQL}{mark}options=-csearch_path%3D{self.schema}"
        password = urllib.parse.urlsplit(POSTGRESQL).password
        self.secrets = (urllib.parse.unquote(password),) if password else ()

    def create(self):
        self.ask(POSTGRESQL, f"CREATE SCHEMA IF NOT EXISTS {self.schema}")

    def remove(self):
        self.ask(POSTGRESQL, f"DROP SCHEMA IF EXISTS {self.schema} CASCADE")

    def rows(self, query):
        # As JSON, for numbers to be numbers, and NULL something else than an empty text.
        answer = self.ask(self.url, f"SELECT COALESCE(json_agg(answer), '[]') FROM ({query}) AS answer")
        return json.loads(answer, object_pairs_hook=lambda members: tuple(value for _, value in members))

    def ask(self, url, statement):
        command = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", url]
        environment = {**os.environ, "PGOPTIONS": "-cclient_min_messages=warning"}
        done = subprocess.run([*command, "-c", statement], capture_output=True, text=True, timeout=60, env=environment)
        assert done.returncode == 0, done.stderr
        return done.stdout
