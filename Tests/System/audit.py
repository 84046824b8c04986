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
    # What has come of uploads that somebody may go on with.
    under_way = "SELECT s.attempt, s.url FROM uploads u JOIN upload_sessions s ON s.attempt = u.attempt"
    for attempt, url in rows(deployment, under_way):
        path = file_of(url)
        accounted.add(path.parent / ".uploads" / f"{path.name}.{attempt}")
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
    counted, plain = usage(deployment, COUNTED), usage(deployment, PLAIN)
    for project in sorted(counted.keys() | plain.keys()):
        if counted.get(project, UNUSED) != plain.get(project, UNUSED):
            found.append(f"{project} uses {plain.get(project)}, and {counted.get(project)} is counted")
    return found


UNUSED = (0, 0, 0, 0)
COUNTED = """SELECT owner, sum(image_count), sum(uploading_count), sum(stored_bytes), sum(staged_bytes)
    FROM project_usage GROUP BY owner"""
# What the counters have to say, from the rows themselves.
PLAIN = """SELECT owner, count(*), sum(CASE WHEN status IN ('saving', 'uploading', 'importing') THEN 1 ELSE 0 END),
    sum(COALESCE(size, 0) * (SELECT count(*) FROM image_locations l WHERE l.image_id = i.id AND l.state = 'live')
        + (SELECT COALESCE(sum(u.reserved), 0) FROM uploads u WHERE u.image_id = i.id)),
    sum(CASE WHEN status IN ('uploading', 'importing') THEN COALESCE(size, 0) ELSE 0 END
        + (SELECT COALESCE(sum(u.reserved_staging), 0) FROM uploads u WHERE u.image_id = i.id))
    FROM images i WHERE owner IS NOT NULL AND deleted_at IS NULL GROUP BY owner"""


def usage(deployment, query):
    """What each project uses: images, those whose data is on its way, bytes stored and bytes staged."""
    return {project: tuple(map(int, figures)) for project, *figures in rows(deployment, query)}


def assert_accounted(deployment, seconds=15):
    """Nothing is lost and nothing is unaccounted for, once the services had a moment to clean up."""
    assert_becomes([], lambda: findings(deployment), seconds)


def assert_stores_empty(deployment, seconds=15):
    assert_becomes(set(), lambda: stored_files(deployment), seconds)


def assert_becomes(expected, ask, seconds=15):
    """Asks until the answer is the expected one. What is asserted is that very answer: the next may be another."""
    answers = []
    wait_until(lambda: answers.append(ask()) or answers[-1] == expected, seconds)
    assert answers[-1] == expected
