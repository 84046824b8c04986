"""Compares what the database says with what the stores hold, behind the services' backs."""

import pathlib
import urllib.parse

from services import wait_until


def stored_files(deployment):
    """Every file below the stores and the staging directory, temporary ones too."""
    folders = [*deployment.stores.values(), deployment.staging]
    return {path for folder in folders for path in folder.rglob("*") if path.is_file()}


def rows(deployment, query):
    return deployment.database.rows(query)


def file_of(url):
    return pathlib.Path(urllib.parse.unquote(urllib.parse.urlsplit(url).path))


def findings(deployment):
    """What is wrong: files that no row accounts for, and active or staged images without their bytes."""
    found = []
    locations = rows(deployment, "SELECT image_id, url FROM image_locations")
    accounted = {file_of(url) for _, url in locations}
    files = stored_files(deployment)
    for path in sorted(files - accounted):
        found.append(f"no row accounts for {path.relative_to(deployment.directory)}")
    usable = "SELECT id FROM images WHERE status IN ('active', 'deactivated') AND deleted_at IS NULL"
    for (image_id,) in rows(deployment, usable):
        if not any(owner == image_id and file_of(url) in files for owner, url in locations):
            found.append(f"{image_id} is active and has no bytes")
    staged = "SELECT image_id, url FROM image_locations WHERE state = 'staged'"
    for image_id, url in rows(deployment, staged):
        if file_of(url) not in files:
            found.append(f"{image_id} is staged and has no bytes")
    waiting = """SELECT id FROM images i WHERE status = 'uploading' AND deleted_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM uploads u WHERE u.image_id = i.id)
        AND NOT EXISTS (SELECT 1 FROM image_locations l WHERE l.image_id = i.id AND l.state = 'staged')"""
    for (image_id,) in rows(deployment, waiting):
        found.append(f"{image_id} is uploading and nobody is at it")
    return found


def assert_accounted(deployment, seconds=15):
    """Nothing is lost and nothing is unaccounted for, once the services had a moment to clean up."""
    wait_until(lambda: not findings(deployment), seconds)
    assert findings(deployment) == []


def assert_stores_empty(deployment, seconds=15):
    wait_until(lambda: not stored_files(deployment), seconds)
    assert stored_files(deployment) == set()
