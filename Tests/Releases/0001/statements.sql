-- What the registry of this release asks of its database, recorded: one section an operation, in the order of an image's
-- life. Each statement that writes changes exactly one row. {id}, {owner} and {now} are the image's and the time's.

-- create
INSERT INTO images (id, name, status, visibility, protected, os_hidden, owner, container_format, disk_format,
    min_disk, min_ram, size, virtual_size, checksum, os_hash_algo, os_hash_value, created_at, updated_at, revision)
VALUES ('{id}', 'written before', 'queued', 'shared', 0, 0, '{owner}', 'bare', 'raw', 1, 2, NULL, NULL, NULL, NULL, NULL,
    {now}, {now}, 1)
ON CONFLICT (id) DO NOTHING;
INSERT INTO image_properties (image_id, name, value) VALUES ('{id}', 'os_distro', 'debian')
ON CONFLICT (image_id, name) DO UPDATE SET value = excluded.value;
INSERT INTO image_properties (image_id, name, value) VALUES ('{id}', 'passing', 'soon gone')
ON CONFLICT (image_id, name) DO UPDATE SET value = excluded.value;
INSERT INTO image_tags (image_id, value, position) VALUES ('{id}', 'first', 0) ON CONFLICT (image_id, value) DO NOTHING;

-- remember
INSERT INTO applied_writes (idempotency_key, binding, answer, created_at) VALUES ('key of {id}', 'sha256:{id}', '{}', {now});

-- update
UPDATE images SET name = 'changed before', status = 'queued', visibility = 'shared', protected = 0, os_hidden = 0,
    owner = '{owner}', container_format = 'bare', disk_format = 'qcow2', min_disk = 0, min_ram = 0, updated_at = {now},
    revision = revision + 1
WHERE id = '{id}';
DELETE FROM image_properties WHERE image_id = '{id}' AND name = 'passing';
INSERT INTO image_properties (image_id, name, value) VALUES ('{id}', 'os_distro', 'ubuntu')
ON CONFLICT (image_id, name) DO UPDATE SET value = excluded.value;
DELETE FROM image_tags WHERE image_id = '{id}';
INSERT INTO image_tags (image_id, value, position) VALUES ('{id}', 'second', 0) ON CONFLICT (image_id, value) DO NOTHING;

-- share
INSERT INTO image_members (image_id, member, status, created_at, updated_at)
VALUES ('{id}', 'guest', 'pending', {now}, {now})
ON CONFLICT (image_id, member) DO NOTHING;
INSERT INTO image_members (image_id, member, status, created_at, updated_at)
VALUES ('{id}', 'other', 'pending', {now}, {now})
ON CONFLICT (image_id, member) DO NOTHING;

-- answer
UPDATE image_members SET status = 'accepted', updated_at = {now} WHERE image_id = '{id}' AND member = 'guest'
RETURNING member, status, created_at, updated_at;

-- unshare
DELETE FROM image_members WHERE image_id = '{id}' AND member = 'other';

-- begin
UPDATE images SET status = 'saving', updated_at = {now}, revision = revision + 1
WHERE id = '{id}' AND status = 'queued' AND deleted_at IS NULL;
INSERT INTO image_locations (image_id, url, metadata, store, state, attempt, unfinished, created_at)
VALUES ('{id}', 'file:///data/{id}', '{}', '', 'intended', 'attempt {id}', 1, {now});
INSERT INTO uploads (attempt, image_id, node, process, expires_at, created_at)
VALUES ('attempt {id}', '{id}', 'one', '1', {now} + 60000000, {now});

-- renew
UPDATE uploads SET expires_at = {now} + 60000000 WHERE attempt = 'attempt {id}' AND process = '1' AND expires_at > {now};

-- abort
UPDATE images SET status = 'queued', updated_at = {now}, revision = revision + 1, size = NULL, virtual_size = NULL
WHERE id = '{id}' AND status = 'saving' AND deleted_at IS NULL;
DELETE FROM uploads WHERE attempt = 'attempt {id}';
DELETE FROM image_locations WHERE attempt = 'attempt {id}' AND state = 'intended';

-- finish
UPDATE images SET status = 'active', size = 5, checksum = 'c', os_hash_algo = 'sha512', os_hash_value = 'h',
    updated_at = {now}, revision = revision + 1
WHERE id = '{id}' AND status = 'saving' AND deleted_at IS NULL;
UPDATE image_locations SET state = 'live', identity = 'i', unfinished = 0
WHERE attempt = 'attempt {id}' AND state = 'intended';
DELETE FROM uploads WHERE attempt = 'attempt {id}';

-- delete
UPDATE images SET status = 'deleted', status_before_deletion = status, deleted_at = {now}, updated_at = {now},
    revision = revision + 1
WHERE id = '{id}';
UPDATE image_locations SET state = 'deleting', claimed_by = 'one', claiming_process = '1', claimed_until = {now} + 60000000
WHERE image_id = '{id}';

-- restore
UPDATE images SET status = status_before_deletion, status_before_deletion = NULL, deleted_at = NULL, updated_at = {now},
    revision = revision + 1
WHERE id = '{id}' AND deleted_at IS NOT NULL AND status_before_deletion IN ('active', 'deactivated')
    AND (owner = '{owner}' OR 0 = 1)
    AND EXISTS (SELECT 1 FROM image_locations l WHERE l.image_id = images.id AND l.state = 'deleting');
UPDATE image_locations SET state = 'live', claimed_by = NULL, claimed_until = 0, failures = 0
WHERE image_id = '{id}' AND unfinished = 0;

-- postpone
UPDATE image_locations SET failures = failures + 1, claimed_by = NULL, claimed_until = {now} + 15000000
WHERE image_id = '{id}';

-- forget
DELETE FROM image_locations WHERE image_id = '{id}';
DELETE FROM image_properties WHERE image_id = '{id}';
DELETE FROM image_tags WHERE image_id = '{id}';
DELETE FROM image_members WHERE image_id = '{id}';
UPDATE images SET status_before_deletion = NULL WHERE id = '{id}' AND deleted_at IS NOT NULL;
