"""glance-manage: the schema's life, and what is purged."""

import pathlib
import subprocess

import pytest

import databases
from ports import free_port
from services import PROGRAMS


@pytest.fixture
def deployment(deployments):
    """A deployment with its files, of which nothing runs and whose database is empty."""
    deployment = deployments.prepare(auth="noauth")
    deployment.write_secrets()
    deployment.write_registry_configuration()
    deployment.write_api_configuration(deployment.api)
    return deployment


def manage(deployment, *arguments, configuration=None):
    """Exit status and everything that was said."""
    command = [PROGRAMS / "glance-manage", "--config-file", configuration or deployment.registry_configuration]
    done = subprocess.run([*command, "db", *arguments], capture_output=True, text=True, timeout=60)
    for secret in deployment.secret_texts():
        assert secret not in done.stdout + done.stderr
    return done.returncode, done.stdout + done.stderr


def test_a_schema_is_checked_expanded_and_contracted(deployment):
    assert manage(deployment, "version") == (0, "0\n")
    assert manage(deployment, "check")[0] == 3
    for action in ("contract", "migrate"):
        status, said = manage(deployment, action)
        assert status == 1 and "glance-manage db expand" in said
    assert manage(deployment, "version") == (0, "0\n"), "looking makes nothing"
    status, said = manage(deployment, "expand")
    assert status == 0 and "1 images" in said
    assert manage(deployment, "expand") == (0, "No expansion needed.\n")
    assert manage(deployment, "migrate") == (0, "No migrations needed.\n")
    assert manage(deployment, "contract")[0] == 0
    assert manage(deployment, "contract") == (0, "No contraction needed.\n")
    assert manage(deployment, "check")[0] == 0
    assert manage(deployment, "sync", "--version", "heads") == (0, "No migrations needed.\n")
    newest = int(manage(deployment, "version")[1])
    assert newest >= 1
    for version in ([], ["--version", "heads"], ["--version", str(newest)]):
        assert manage(deployment, "upgrade", *version) == (0, "No migrations needed.\n")
    status, said = manage(deployment, "upgrade", "--version", "liberty")
    assert status == 1 and f"version {newest} and to no other" in said


@pytest.mark.parametrize(
    "action", ["purge", "purge_images_table", "load_metadefs", "unload_metadefs", "export_metadefs", "data"]
)
def test_without_a_schema_nothing_is_done(deployment, action):
    words = ["db", action] if action != "data" else ["data", "check"]
    command = [PROGRAMS / "glance-manage", "--config-file", deployment.registry_configuration, *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert 'run "glance-manage db sync"' in done.stderr
    assert "SELECT" not in done.stderr
    if databases.KIND == "sqlite":
        assert not pathlib.Path(deployment.database.path).exists()


@pytest.mark.parametrize("words", [[], ["db"], ["data"], ["db", "nonsense"], ["nonsense"], ["db", "purge", "--nonsense"]])
def test_a_command_line_that_means_nothing_exits_2(deployment, words):
    command = [PROGRAMS / "glance-manage", "--config-file", deployment.registry_configuration, *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "USAGE" in done.stderr.upper() and not done.stdout


def test_nodes_that_migrate_at_once_do_not_race(deployment):
    command = [PROGRAMS / "glance-manage", "--config-file", deployment.registry_configuration, "db", "sync"]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(4)]
    said = [process.communicate(timeout=60)[0] for process in running]
    assert [process.returncode for process in running] == [0] * 4, said
    assert sum("1 images" in text for text in said) == 1, said
    assert manage(deployment, "check")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--age_in_days", "-1"], "Must supply a non-negative value for age."),
        (["--age_in_days", "many"], "Invalid int value for age_in_days: many"),
        (["--age_in_days", "99999999"], "Maximal age is count of days since epoch."),
        (["--age_in_days", "9223372036854775807"], "Maximal age is count of days since epoch."),
        (["--max_rows", "-2"], "Minimal rows limit is -1."),
        (["--max_rows", "1.5"], "Invalid int value for max_rows: 1.5"),
    ],
)
@pytest.mark.parametrize("command", ["purge", "purge_images_table"])
def test_bounds_that_make_no_sense_are_refused(deployment, command, arguments, sentence):
    manage(deployment, "sync")
    status, said = manage(deployment, command, *arguments)
    assert status == 1
    assert sentence in said


def test_a_purged_id_may_be_given_again(deployment):
    manage(deployment, "sync")
    for program in deployment.programs:
        deployment.start_program(program)
    session = deployment.session()
    url = f"{deployment.url}/v2/images"
    body = {"id": "6a4b1f6a-2c3f-4a54-8a35-3f1f1b6a0001", "name": "first", "tags": ["a"]}
    assert session.post(url, json=body).status_code == 201
    assert session.delete(f"{url}/{body['id']}").status_code == 204
    assert session.post(url, json=body).status_code == 409
    status, said = manage(deployment, "purge", "--age_in_days", "0", "--max_rows", "-1")
    assert (status, said.count("0 row(s) removed")) == (0, 3)
    assert session.post(url, json=body).status_code == 409
    status, said = manage(deployment, "purge_images_table")
    assert status == 0 and said.startswith("images: 0 row(s)")
    status, said = manage(deployment, "purge_images_table", "--age_in_days", "0", "--max_rows", "-1")
    assert status == 0 and said.startswith("images: 1 row(s)")
    assert session.post(url, json=body).status_code == 201


@pytest.mark.parametrize(
    ("connection", "sentence"),
    [
        ("mysql+pymysql://glance:pa55word@db/glance", "MySQL and MariaDB are not supported"),
        ("oracle://glance:pa55word@db/glance", "only sqlite:////absolute/path or postgresql://"),
        ("postgresql://glance:pa55@word@db/glance", "percent-encoded"),
        ("postgresql://glance:pa55word@db/glance?charset=utf8", "libpq"),
        ("postgresql://glance:pa55word@127.0.0.1:{port}/glance", "cannot be reached"),
        ("postgresql+psycopg2://glance:pa55word@127.0.0.1:{port},127.0.0.1:{port}/glance", "cannot be reached"),
    ],
)
def test_a_database_that_cannot_be_used_is_explained(deployment, connection, sentence):
    configuration = pathlib.Path(deployment.directory, "wrong.conf")
    configuration.write_text(
        f"[registry]\nkey_file = {deployment.key_file}\n"
        f"[database]\nconnection = {connection.format(port=free_port())}\nmax_retries = 0\n"
    )
    status, said = manage(deployment, "version", configuration=configuration)
    assert status == 1
    assert sentence in said
    assert "pa55" not in said and "word" not in said.replace("password", "")
