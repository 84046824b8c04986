CREATE TABLE applied_writes (
    idempotency_key text NOT NULL COLLATE pg_catalog."C",
    binding text NOT NULL COLLATE pg_catalog."C",
    answer text NOT NULL COLLATE pg_catalog."C",
    created_at bigint NOT NULL
);
CREATE TABLE image_locations (
    id bigint NOT NULL,
    image_id text NOT NULL COLLATE pg_catalog."C",
    url text NOT NULL COLLATE pg_catalog."C",
    metadata text NOT NULL COLLATE pg_catalog."C",
    store text NOT NULL COLLATE pg_catalog."C",
    state text NOT NULL COLLATE pg_catalog."C",
    attempt text NOT NULL COLLATE pg_catalog."C",
    identity text COLLATE pg_catalog."C",
    unfinished integer NOT NULL,
    created_at bigint NOT NULL,
    claimed_by text COLLATE pg_catalog."C",
    claiming_process text COLLATE pg_catalog."C",
    claimed_until bigint DEFAULT 0 NOT NULL,
    failures integer DEFAULT 0 NOT NULL
);
ALTER TABLE image_locations ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME image_locations_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE image_members (
    image_id text NOT NULL COLLATE pg_catalog."C",
    member text NOT NULL COLLATE pg_catalog."C",
    status text NOT NULL COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL
);
CREATE TABLE image_properties (
    image_id text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    value text COLLATE pg_catalog."C"
);
CREATE TABLE image_tags (
    image_id text NOT NULL COLLATE pg_catalog."C",
    value text NOT NULL COLLATE pg_catalog."C",
    "position" integer NOT NULL
);
CREATE TABLE images (
    id text NOT NULL COLLATE pg_catalog."C",
    name text COLLATE pg_catalog."C",
    status text NOT NULL COLLATE pg_catalog."C",
    visibility text NOT NULL COLLATE pg_catalog."C",
    protected integer NOT NULL,
    os_hidden integer NOT NULL,
    owner text COLLATE pg_catalog."C",
    container_format text COLLATE pg_catalog."C",
    disk_format text COLLATE pg_catalog."C",
    min_disk bigint NOT NULL,
    min_ram bigint NOT NULL,
    size bigint,
    virtual_size bigint,
    checksum text COLLATE pg_catalog."C",
    os_hash_algo text COLLATE pg_catalog."C",
    os_hash_value text COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    deleted_at bigint,
    status_before_deletion text COLLATE pg_catalog."C",
    revision bigint NOT NULL
);
CREATE TABLE schema_migrations (
    number bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    phase text NOT NULL COLLATE pg_catalog."C",
    applied_at bigint NOT NULL
);
CREATE TABLE uploads (
    attempt text NOT NULL COLLATE pg_catalog."C",
    image_id text NOT NULL COLLATE pg_catalog."C",
    node text NOT NULL COLLATE pg_catalog."C",
    process text NOT NULL COLLATE pg_catalog."C",
    expires_at bigint NOT NULL,
    created_at bigint NOT NULL
);
INSERT INTO applied_writes VALUES ('0123456789abcdef', 'sha256:b', '{"id":"1"}', 1700000000000000);
INSERT INTO image_locations OVERRIDING SYSTEM VALUE VALUES (1, '00000000-0000-4000-8000-000000000001', 'file:///images/1', '{"store":"fast"}', 'fast', 'live', 'attempt-1', 'inode 1', 0, 1700000000500000, NULL, NULL, 0, 0);
INSERT INTO image_locations OVERRIDING SYSTEM VALUE VALUES (2, '00000000-0000-4000-8000-000000000003', 'file:///images/3', '{}', '', 'intended', 'attempt-3', NULL, 1, 1700000003000000, NULL, NULL, 0, 0);
INSERT INTO image_locations OVERRIDING SYSTEM VALUE VALUES (3, '00000000-0000-4000-8000-000000000004', 'file:///images/4', '{}', '', 'deleting', 'attempt-4', 'inode 4', 0, 1700000004000000, 'api-1', '1a', 1700000065000000, 2);
INSERT INTO image_members VALUES ('00000000-0000-4000-8000-000000000001', 'tenant3', 'accepted', 1700000006000000, 1700000007000000);
INSERT INTO image_members VALUES ('00000000-0000-4000-8000-000000000001', 'tenant4', 'pending', 1700000006000001, 1700000006000001);
INSERT INTO image_properties VALUES ('00000000-0000-4000-8000-000000000001', 'os_distro', 'ubuntu');
INSERT INTO image_properties VALUES ('00000000-0000-4000-8000-000000000001', 'empty', '');
INSERT INTO image_properties VALUES ('00000000-0000-4000-8000-000000000001', 'none', NULL);
INSERT INTO image_properties VALUES ('00000000-0000-4000-8000-000000000004', 'left', 'over');
INSERT INTO image_tags VALUES ('00000000-0000-4000-8000-000000000001', 'z', 0);
INSERT INTO image_tags VALUES ('00000000-0000-4000-8000-000000000001', 'a', 1);
INSERT INTO image_tags VALUES ('00000000-0000-4000-8000-000000000001', 'B', 2);
INSERT INTO images VALUES ('00000000-0000-4000-8000-000000000001', 'Ubuntu ''22.04'' "é"', 'active', 'shared', 1, 0, 'tenant1', 'bare', 'qcow2', 10, 512, 5, NULL, 'c-1', 'sha512', 'h-1', 1700000000000001, 1700000001000000, NULL, NULL, 7);
INSERT INTO images VALUES ('00000000-0000-4000-8000-000000000002', NULL, 'queued', 'private', 0, 1, NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, 1700000002000000, 1700000002000000, NULL, NULL, 1);
INSERT INTO images VALUES ('00000000-0000-4000-8000-000000000003', 'uploading', 'saving', 'public', 0, 0, 'tenant2', 'bare', 'raw', 0, 0, NULL, NULL, NULL, NULL, NULL, 1700000003000000, 1700000003000000, NULL, NULL, 2);
INSERT INTO images VALUES ('00000000-0000-4000-8000-000000000004', 'gone', 'deleted', 'community', 0, 0, 'tenant1', 'bare', 'raw', 0, 0, 9223372036854775807, NULL, 'c-4', 'sha512', 'h-4', 1700000004000000, 1700000005000000, 1700000005000000, 'active', 4);
INSERT INTO schema_migrations VALUES (1, 'images', 'expand', 1795271118336437);
INSERT INTO uploads VALUES ('attempt-3', '00000000-0000-4000-8000-000000000003', 'api-1', '1a', 1700000063000000, 1700000003000000);
SELECT pg_catalog.setval('image_locations_id_seq', 3, true);
ALTER TABLE ONLY applied_writes
    ADD CONSTRAINT applied_writes_pkey PRIMARY KEY (idempotency_key);
ALTER TABLE ONLY image_locations
    ADD CONSTRAINT image_locations_pkey PRIMARY KEY (id);
ALTER TABLE ONLY image_members
    ADD CONSTRAINT image_members_pkey PRIMARY KEY (image_id, member);
ALTER TABLE ONLY image_properties
    ADD CONSTRAINT image_properties_pkey PRIMARY KEY (image_id, name);
ALTER TABLE ONLY image_tags
    ADD CONSTRAINT image_tags_pkey PRIMARY KEY (image_id, value);
ALTER TABLE ONLY images
    ADD CONSTRAINT images_pkey PRIMARY KEY (id);
ALTER TABLE ONLY schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (number);
ALTER TABLE ONLY uploads
    ADD CONSTRAINT uploads_pkey PRIMARY KEY (attempt);
CREATE INDEX applied_writes_by_age ON applied_writes USING btree (created_at);
CREATE INDEX image_locations_by_attempt ON image_locations USING btree (attempt);
CREATE INDEX image_locations_by_image ON image_locations USING btree (image_id, state, id);
CREATE INDEX image_locations_by_url ON image_locations USING btree (url);
CREATE INDEX image_locations_to_delete ON image_locations USING btree (store, claimed_until, id) WHERE (state = 'deleting'::text);
CREATE INDEX image_members_by_member ON image_members USING btree (member, status, image_id);
CREATE INDEX image_properties_by_value ON image_properties USING btree (name, substr(value, 1, 255), image_id);
CREATE INDEX image_tags_by_value ON image_tags USING btree (value, image_id);
CREATE INDEX images_by_creation ON images USING btree (created_at, id) WHERE (deleted_at IS NULL);
CREATE INDEX images_by_name ON images USING btree (name, created_at, id) WHERE (deleted_at IS NULL);
CREATE INDEX images_by_owner ON images USING btree (owner, created_at, id) WHERE (deleted_at IS NULL);
CREATE INDEX images_by_visibility ON images USING btree (visibility, created_at, id) WHERE (deleted_at IS NULL);
CREATE INDEX uploads_by_expiry ON uploads USING btree (expires_at);
CREATE INDEX uploads_by_image ON uploads USING btree (image_id);
CREATE INDEX uploads_by_node ON uploads USING btree (node);
ALTER TABLE ONLY image_locations
    ADD CONSTRAINT image_locations_image_id_fkey FOREIGN KEY (image_id) REFERENCES images(id);
ALTER TABLE ONLY image_members
    ADD CONSTRAINT image_members_image_id_fkey FOREIGN KEY (image_id) REFERENCES images(id);
ALTER TABLE ONLY image_properties
    ADD CONSTRAINT image_properties_image_id_fkey FOREIGN KEY (image_id) REFERENCES images(id);
ALTER TABLE ONLY image_tags
    ADD CONSTRAINT image_tags_image_id_fkey FOREIGN KEY (image_id) REFERENCES images(id);
ALTER TABLE ONLY uploads
    ADD CONSTRAINT uploads_image_id_fkey FOREIGN KEY (image_id) REFERENCES images(id);
