-- schema-postgresql.sql - tables and roles of a shared contacts store
--
-- Several mail servers that share one PostgreSQL run this once, as a superuser,
-- in a database of its own:
--
--     createdb contact_milter
--     psql -d contact_milter -f schema-postgresql.sql
--     psql -d contact_milter -c '\password contact_milter'
--
-- and name it in /etc/contact-milter/contact-milter.conf:
--
--     [store]
--     uri = postgresql://contact_milter@db.example.org/contact_milter?sslmode=verify-full
--
-- Two roles: contact_milter_owner owns the tables and cannot log in;
-- contact_milter is what the daemons log in as, and may read and change rows but
-- no table. (Where the daemon's role may make tables, it makes them by itself
-- and this file is not needed.) Running it again changes nothing; only the two
-- CREATE ROLE lines complain that the roles exist.
--
-- Other databases that speak this protocol: README.md, "Several mail servers".
-- On YugabyteDB make each PRIMARY KEY one of (... ASC).

CREATE ROLE contact_milter_owner NOLOGIN;
CREATE ROLE contact_milter LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO contact_milter_owner;
GRANT USAGE ON SCHEMA public TO contact_milter;
SET ROLE contact_milter_owner;

CREATE TABLE IF NOT EXISTS contact (
    due BIGINT NOT NULL,
    claimed BIGINT NOT NULL,
    since BIGINT NOT NULL,
    first_seen BIGINT NOT NULL,
    last_mail BIGINT NOT NULL,
    status_at BIGINT NOT NULL,
    sms_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    attempts INTEGER NOT NULL,
    claims SMALLINT NOT NULL,
    state SMALLINT NOT NULL,
    want_fields SMALLINT NOT NULL,
    want_status SMALLINT NOT NULL,
    want_sms SMALLINT NOT NULL,
    suppress SMALLINT NOT NULL,
    status_done SMALLINT NOT NULL,
    sms_done SMALLINT NOT NULL,
    anonymised SMALLINT NOT NULL,
    key TEXT NOT NULL PRIMARY KEY,
    email TEXT,
    known TEXT,
    times TEXT,
    crm TEXT,
    refused TEXT,
    lease TEXT,
    reason TEXT,
    trust TEXT);
CREATE INDEX IF NOT EXISTS contact_due ON contact (due ASC) WHERE state = 1;
CREATE INDEX IF NOT EXISTS contact_dead ON contact (since ASC) WHERE state = 2;

CREATE TABLE IF NOT EXISTS held (
    id BIGINT NOT NULL PRIMARY KEY,
    since BIGINT NOT NULL,
    want_status SMALLINT NOT NULL,
    want_sms SMALLINT NOT NULL,
    flags SMALLINT NOT NULL,
    key TEXT NOT NULL,
    merge_key TEXT,
    domain TEXT,
    reason TEXT,
    trust TEXT,
    observation TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS held_key ON held (key ASC);

CREATE TABLE IF NOT EXISTS merged (
    key TEXT NOT NULL PRIMARY KEY,
    time BIGINT NOT NULL);
CREATE INDEX IF NOT EXISTS merged_time ON merged (time ASC);

CREATE TABLE IF NOT EXISTS event (
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    time BIGINT NOT NULL,
    key TEXT NOT NULL,
    PRIMARY KEY (kind, subject, time, key));
CREATE INDEX IF NOT EXISTS event_time ON event (time ASC);

CREATE TABLE IF NOT EXISTS sent (
    message TEXT NOT NULL,
    recipient TEXT NOT NULL,
    time BIGINT NOT NULL,
    PRIMARY KEY (message, recipient));
CREATE INDEX IF NOT EXISTS sent_time ON sent (time ASC);

CREATE TABLE IF NOT EXISTS state (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL);

CREATE TABLE IF NOT EXISTS counter (
    name TEXT NOT NULL,
    host TEXT NOT NULL,
    n BIGINT NOT NULL,
    PRIMARY KEY (name, host));

-- Rows of contact are rewritten a few times when they are new. On PostgreSQL
-- this keeps the table small after a large import (other engines ignore or do
-- not need it):
--     ALTER TABLE contact SET (autovacuum_vacuum_scale_factor = 0.02);

INSERT INTO state (name, value) VALUES ('schema_version', '1')
    ON CONFLICT (name) DO NOTHING;

GRANT SELECT, INSERT, UPDATE, DELETE
    ON contact, held, merged, event, sent, state, counter
    TO contact_milter;
RESET ROLE;
