"""What passes through the process takes little memory, however fast its source and however slow its clients are."""

import os
import pathlib
import subprocess

import pytest

from resources import Resources

COUNT = 24
# A few blocks of each transfer; a queue that nothing bounds would hold most of all the data.
LIMIT = COUNT * (5 << 20)
DATA = os.urandom(48 << 20)
# 512 MiB in all, of which most waits: the API has two threads for digests, or as many as there are cores.
UPLOADS, UPLOAD = 64, os.urandom(8 << 20)
UPLOAD_LIMIT = 192 << 20


def peak(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


@pytest.mark.parametrize("way", ["tls", "verified"])
def test_many_downloads_at_once(deployments, way):
    options = {"api": {"DEFAULT": ["verify_downloads = true"]}} if way == "verified" else {}
    deployment = deployments.start(auth="noauth", transport="tls" if way == "tls" else "tcp", options=options)
    session = deployment.session()
    body = {"disk_format": "raw", "container_format": "bare"}
    image = f"{deployment.url}/v2/images/{session.post(f'{deployment.url}/v2/images', json=body).json()['id']}"
    octets = {"Content-Type": "application/octet-stream"}
    assert session.put(f"{image}/file", data=DATA, headers=octets).status_code == 204
    pid = deployment.api.process.pid
    before = Resources.of(pid, deployment.directory).resident
    # Lets the peak begin anew (proc(5)).
    pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")
    command = ["curl", "-sSk", "--http1.1", "-w", "%{http_code} %{size_download}\\n", "--config", "-"]
    command += ["--parallel", "--parallel-immediate", "--parallel-max", str(COUNT)]
    urls = f'url = "{image}/file"\noutput = "/dev/null"\n' * COUNT
    done = subprocess.run(command, input=urls, capture_output=True, text=True, timeout=300)
    assert done.stdout.split("\n")[:-1] == [f"200 {len(DATA)}"] * COUNT, done.stderr
    grown = peak(pid) - before
    print(f"{grown >> 20} MiB")
    assert grown < LIMIT, f"{grown >> 20} MiB for {COUNT} downloads"


def test_many_uploads_at_once(deployments, tmp_path):
    deployment = deployments.start(auth="noauth")
    session = deployment.session()
    body = {"disk_format": "raw", "container_format": "bare"}
    made = [session.post(f"{deployment.url}/v2/images", json=body).json()["id"] for _ in range(UPLOADS)]
    (tmp_path / "data").write_bytes(UPLOAD)
    pid = deployment.api.process.pid
    before = Resources.of(pid, deployment.directory).resident
    pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")
    command = ["curl", "--parallel", "--parallel-immediate", "--parallel-max", str(UPLOADS), "--config", "-"]
    upload = "\n".join(
        [
            "silent",
            "show-error",
            'write-out = "%{{http_code}}\\n"',
            'header = "Content-Type: application/octet-stream"',
            'upload-file = "{}"',
            'url = "{}/v2/images/{}/file"\n',
        ]
    )
    uploads = "next\n".join(upload.format(tmp_path / "data", deployment.url, image) for image in made)
    done = subprocess.run(command, input=uploads, capture_output=True, text=True, timeout=300)
    assert done.stdout.split("\n")[:-1] == ["204"] * UPLOADS, done.stderr
    grown = peak(pid) - before
    print(f"{grown >> 20} MiB")
    assert grown < UPLOAD_LIMIT, f"{grown >> 20} MiB for {UPLOADS} uploads"
