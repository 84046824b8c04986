"""The examples of docs/uploads.md, run as they stand there."""

import hashlib
import os
import re
import subprocess
import sys

import pytest

from audit import assert_accounted
from services import ROOT

EXAMPLES = re.findall(r"^```(sh|python)\n(.*?)^```$", (ROOT / "docs/uploads.md").read_text(), re.MULTILINE | re.DOTALL)
SHELL = [text for language, text in EXAMPLES if language == "sh"]
PYTHON = [text for language, text in EXAMPLES if language == "python"]


@pytest.fixture(scope="module")
def deployment(shared_deployments):
    return shared_deployments.start(auth="noauth")


class Example:
    """A directory with the file and the variables that the page speaks of."""

    def __init__(self, deployment, folder, data):
        self.session = deployment.session()
        self.folder = folder
        self.data = data
        (folder / "disk.qcow2").write_bytes(data)
        body = {"disk_format": "qcow2", "container_format": "bare"}
        image = self.session.post(f"{deployment.url}/v2/images", json=body).json()["id"]
        self.variables = {"GLANCE": deployment.url, "ID": image, "TOKEN": "a-token"}
        self.url = f"{deployment.url}/v2/images/{image}"

    def run(self, *command):
        environment = {**os.environ, **self.variables}
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr

    def shell(self, text):
        self.run("bash", "-euo", "pipefail", "-c", text)

    def finish(self):
        """The image is active with the file's data, and goes."""
        record = self.session.get(self.url).json()
        assert record["status"] == "active", record
        assert record["os_hash_value"] == hashlib.sha512(self.data).hexdigest()
        assert self.session.delete(self.url).status_code == 204


@pytest.fixture
def example(deployment, images, tmp_path):
    yield Example(deployment, tmp_path, images["v3.qcow2"].data)
    assert_accounted(deployment)


def test_all_examples_are_known():
    assert (len(SHELL), len(PYTHON)) == (3, 1), "an example has come or gone: give it a test"


@pytest.mark.parametrize("text", SHELL, ids=["declared_digest", "interrupted", "several_connections"])
def test_an_example_uploads_the_file(example, text):
    example.shell(text)
    example.finish()


def test_what_was_interrupted_goes_on(example):
    begin, *rest = SHELL[1].split("\n\n")
    piece = f"{begin}\n(head -c 100000 disk.qcow2; sleep 2) | timeout 1 {cut(rest[-1])} || true\n"
    # Of the connection that was cut the service may have to hear first.
    example.shell(piece + "sleep 0.5\n" + "\n".join(rest))
    example.finish()


def cut(step):
    """The command that sends, from the beginning of the file."""
    return step.replace("\\\n", " ").split(" | ")[1].replace("$OFFSET", "0").strip()


def test_a_digest_of_other_data_is_refused(example):
    (example.folder / "other").write_bytes(b"other")
    example.shell(SHELL[0].replace("sha256sum < disk.qcow2", "sha256sum < other"))
    assert example.session.get(example.url).json()["status"] == "queued"
    example.session.delete(example.url)


@pytest.mark.parametrize("text", PYTHON)
def test_the_python_example_uploads_the_file(example, text):
    names = {"glance": "GLANCE", "image": "ID", "token": "TOKEN"}
    assignments = "".join(f"{name} = os.environ['{variable}']\n" for name, variable in names.items())
    example.run(sys.executable, "-c", f"import os\n{assignments}{text}")
    example.finish()
