"""Compares what the database says with what the stores hold, behind the services' backs."""

import pathlib
import urllib.parse

from services import wait_until


def stored_files(deployment):
    """Every file below the stores, temporary ones too."""
    return {path for folder in deployment.stores.values() for path in folder.rglob("*") if path.is_file()}


def rows(deployment, query):
    return deployment.database.rows(query)


def file_of(url):
    return pathlib.Path(urllib.parse.unquote(urllib.parse.urlsplit(url).path))


def findings(deployment):
    """What is wrong: files that no row accounts for, and active images without their bytes."""
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
    return found


def assert_accounted(deployment, seconds=15):
    """Nothing is lost and nothing is unaccounted for, once the services had a moment to clean up."""
    wait_until(lambda: not findings(deployment), seconds)
    assert findings(deployment) == []


def assert_stores_empty(deployment, seconds=15):
    wait_until(lambda: not stored_files(deployment), seconds)
    assert stored_files(deployment) == set()
