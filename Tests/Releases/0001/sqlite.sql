CREATE TABLE schema_migrations (
    number BIGINT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    phase TEXT NOT NULL,
    applied_at BIGINT NOT NULL
);
INSERT INTO schema_migrations VALUES(1,'images','expand',1795271117372735);
CREATE TABLE images (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT,
    status TEXT NOT NULL,
    visibility TEXT NOT NULL,
    protected INTEGER NOT NULL,
    os_hidden INTEGER NOT NULL,
    owner TEXT,
    container_format TEXT,
    disk_format TEXT,
    min_disk BIGINT NOT NULL,
    min_ram BIGINT NOT NULL,
    size BIGINT,
    virtual_size BIGINT,
    checksum TEXT,
    os_hash_algo TEXT,
    os_hash_value TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT,
    status_before_deletion TEXT,
    revision BIGINT NOT NULL
);
INSERT INTO images VALUES('00000000-0000-4000-8000-000000000001','Ubuntu ''22.04'' "é"','active','shared',1,0,'tenant1','bare','qcow2',10,512,5,NULL,'c-1','sha512','h-1',1700000000000001,1700000001000000,NULL,NULL,7);
INSERT INTO images VALUES('00000000-0000-4000-8000-000000000002',NULL,'queued','private',0,1,NULL,NULL,NULL,0,0,NULL,NULL,NULL,NULL,NULL,1700000002000000,1700000002000000,NULL,NULL,1);
INSERT INTO images VALUES('00000000-0000-4000-8000-000000000003','uploading','saving','public',0,0,'tenant2','bare','raw',0,0,NULL,NULL,NULL,NULL,NULL,1700000003000000,1700000003000000,NULL,NULL,2);
INSERT INTO images VALUES('00000000-0000-4000-8000-000000000004','gone','deleted','community',0,0,'tenant1','bare','raw',0,0,9223372036854775807,NULL,'c-4','sha512','h-4',1700000004000000,1700000005000000,1700000005000000,'active',4);
CREATE TABLE image_properties (
    image_id TEXT NOT NULL REFERENCES images (id),
    name TEXT NOT NULL,
    value TEXT,
    PRIMARY KEY (image_id, name)
) WITHOUT ROWID;
INSERT INTO image_properties VALUES('00000000-0000-4000-8000-000000000001','empty','');
INSERT INTO image_properties VALUES('00000000-0000-4000-8000-000000000001','none',NULL);
INSERT INTO image_properties VALUES('00000000-0000-4000-8000-000000000001','os_distro','ubuntu');
INSERT INTO image_properties VALUES('00000000-0000-4000-8000-000000000004','left','over');
CREATE TABLE image_tags (
    image_id TEXT NOT NULL REFERENCES images (id),
    value TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (image_id, value)
) WITHOUT ROWID;
INSERT INTO image_tags VALUES('00000000-0000-4000-8000-000000000001','B',2);
INSERT INTO image_tags VALUES('00000000-0000-4000-8000-000000000001','a',1);
INSERT INTO image_tags VALUES('00000000-0000-4000-8000-000000000001','z',0);
CREATE TABLE image_members (
    image_id TEXT NOT NULL REFERENCES images (id),
    member TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (image_id, member)
) WITHOUT ROWID;
INSERT INTO image_members VALUES('00000000-0000-4000-8000-000000000001','tenant3','accepted',1700000006000000,1700000007000000);
INSERT INTO image_members VALUES('00000000-0000-4000-8000-000000000001','tenant4','pending',1700000006000001,1700000006000001);
CREATE TABLE image_locations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    image_id TEXT NOT NULL REFERENCES images (id),
    url TEXT NOT NULL,
    metadata TEXT NOT NULL,
    store TEXT NOT NULL,
    state TEXT NOT NULL,
    attempt TEXT NOT NULL,
    identity TEXT,
    unfinished INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    claimed_by TEXT,
    claiming_process TEXT,
    claimed_until BIGINT NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0
);
INSERT INTO image_locations VALUES(1,'00000000-0000-4000-8000-000000000001','file:///images/1','{"store":"fast"}','fast','live','attempt-1','inode 1',0,1700000000500000,NULL,NULL,0,0);
INSERT INTO image_locations VALUES(2,'00000000-0000-4000-8000-000000000003','file:///images/3','{}','','intended','attempt-3',NULL,1,1700000003000000,NULL,NULL,0,0);
INSERT INTO image_locations VALUES(3,'00000000-0000-4000-8000-000000000004','file:///images/4','{}','','deleting','attempt-4','inode 4',0,1700000004000000,'api-1','1a',1700000065000000,2);
CREATE TABLE uploads (
    attempt TEXT NOT NULL PRIMARY KEY,
    image_id TEXT NOT NULL REFERENCES images (id),
    node TEXT NOT NULL,
    process TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
INSERT INTO uploads VALUES('attempt-3','00000000-0000-4000-8000-000000000003','api-1','1a',1700000063000000,1700000003000000);
CREATE TABLE applied_writes (
    idempotency_key TEXT NOT NULL PRIMARY KEY,
    binding TEXT NOT NULL,
    answer TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
INSERT INTO applied_writes VALUES('0123456789abcdef','sha256:b','{"id":"1"}',1700000000000000);
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('image_locations',3);
CREATE INDEX images_by_creation ON images (created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX images_by_owner ON images (owner, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX images_by_visibility ON images (visibility, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX images_by_name ON images (name, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX image_properties_by_value ON image_properties (name, substr(value, 1, 255), image_id);
CREATE INDEX image_tags_by_value ON image_tags (value, image_id);
CREATE INDEX image_members_by_member ON image_members (member, status, image_id);
CREATE INDEX image_locations_by_image ON image_locations (image_id, state, id);
CREATE INDEX image_locations_by_url ON image_locations (url);
CREATE INDEX image_locations_to_delete ON image_locations (store, claimed_until, id) WHERE state = 'deleting';
CREATE INDEX image_locations_by_attempt ON image_locations (attempt);
CREATE INDEX uploads_by_expiry ON uploads (expires_at);
CREATE INDEX uploads_by_node ON uploads (node);
CREATE INDEX uploads_by_image ON uploads (image_id);
CREATE INDEX applied_writes_by_age ON applied_writes (created_at);
