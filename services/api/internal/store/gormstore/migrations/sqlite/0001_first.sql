-- +goose Up
-- An instance; deleted ones keep their row.
CREATE TABLE instances (
    id TEXT NOT NULL PRIMARY KEY,
    project_id TEXT NOT NULL,
    name TEXT NOT NULL,
    datastore_version_id TEXT NOT NULL,
    flavor_id TEXT NOT NULL,
    ram INTEGER NOT NULL,
    volume_size INTEGER NOT NULL,
    volume_type TEXT NOT NULL,
    region TEXT NOT NULL,
    availability_zone TEXT NOT NULL,
    locality TEXT NOT NULL,
    access TEXT NOT NULL,
    task_status TEXT NOT NULL,
    server_status TEXT NOT NULL,
    service_status TEXT NOT NULL,
    service_status_updated INTEGER,
    silent INTEGER NOT NULL,
    agent_life_began INTEGER NOT NULL,
    agent_sequence INTEGER NOT NULL,
    volume_used_bytes INTEGER NOT NULL,
    volume_total_bytes INTEGER NOT NULL,
    server_id TEXT NOT NULL,
    volume_id TEXT NOT NULL,
    guest_address TEXT NOT NULL,
    addresses TEXT NOT NULL,
    fault_message TEXT NOT NULL,
    fault_details TEXT NOT NULL,
    fault_created INTEGER,
    guest_public_key BLOB,
    guest_certificate_expires INTEGER,
    epoch INTEGER NOT NULL,
    tasks_accepted INTEGER NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    deleted INTEGER
) STRICT;

-- An accepted change of one instance; ordinal is its place among those of the instance.
CREATE TABLE tasks (
    id TEXT NOT NULL PRIMARY KEY,
    instance_id TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    instance_name TEXT NOT NULL,
    project_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    action TEXT NOT NULL,
    state TEXT NOT NULL,
    status_before TEXT NOT NULL,
    progress INTEGER NOT NULL,
    command BLOB NOT NULL,
    steps TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    claims INTEGER NOT NULL,
    worker TEXT NOT NULL,
    lease_expires INTEGER,
    stop INTEGER NOT NULL,
    error_code TEXT NOT NULL,
    error_step TEXT NOT NULL,
    error_message TEXT NOT NULL,
    rings INTEGER NOT NULL,
    rung INTEGER NOT NULL,
    created INTEGER NOT NULL,
    started INTEGER,
    finished INTEGER,
    UNIQUE (instance_id, ordinal),
    FOREIGN KEY (instance_id) REFERENCES instances (id)
) STRICT;

-- Sealed secrets, until the task that needs them ends.
CREATE TABLE task_secrets (
    task_id TEXT NOT NULL PRIMARY KEY,
    instance_id TEXT NOT NULL,
    sealed BLOB NOT NULL,
    FOREIGN KEY (task_id) REFERENCES tasks (id)
) STRICT;

-- Callers' keys; fingerprint is a keyed hash of the request.
CREATE TABLE idempotency_keys (
    project_id TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    task_id TEXT NOT NULL,
    expires INTEGER NOT NULL,
    PRIMARY KEY (project_id, idempotency_key),
    FOREIGN KEY (task_id) REFERENCES tasks (id)
) STRICT;

-- What projects have taken.
CREATE TABLE quota_usage (
    project_id TEXT NOT NULL,
    resource TEXT NOT NULL,
    in_use INTEGER NOT NULL,
    PRIMARY KEY (project_id, resource)
) STRICT;

-- Limits of a project's own.
CREATE TABLE quota_limits (
    project_id TEXT NOT NULL,
    resource TEXT NOT NULL,
    hard_limit INTEGER NOT NULL,
    PRIMARY KEY (project_id, resource)
) STRICT;

-- Messages that were committed and not yet acknowledged by NATS.
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    subject TEXT NOT NULL,
    message_id TEXT NOT NULL,
    payload BLOB NOT NULL
) STRICT;

-- The living taskmanagers.
CREATE TABLE monitors (
    worker TEXT NOT NULL,
    expires INTEGER NOT NULL,
    PRIMARY KEY (worker)
) STRICT;

-- Database engines.
CREATE TABLE datastores (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    UNIQUE (name)
) STRICT;

-- Versions of engines; is_default marks its datastore's default.
CREATE TABLE datastore_versions (
    id TEXT NOT NULL PRIMARY KEY,
    datastore_id TEXT NOT NULL,
    manager TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    active INTEGER NOT NULL,
    is_default INTEGER NOT NULL,
    UNIQUE (datastore_id, name),
    FOREIGN KEY (datastore_id) REFERENCES datastores (id)
) STRICT;

-- One row: what the provider said last, as it said it.
CREATE TABLE provider (
    id INTEGER NOT NULL PRIMARY KEY,
    registration BLOB NOT NULL
) STRICT;

-- Hashes of issued tokens of the built-in identity.
CREATE TABLE tokens (
    hash BLOB NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    payload BLOB,
    expires INTEGER NOT NULL
) STRICT;

CREATE INDEX instances_project ON instances (project_id, id);
CREATE INDEX tasks_project ON tasks (project_id, created, id);
CREATE INDEX tasks_unfinished ON tasks (finished, rung);
CREATE INDEX tasks_unfinished_of_instance ON tasks (instance_id, finished, ordinal);
CREATE INDEX idempotency_keys_expires ON idempotency_keys (expires);
CREATE INDEX tokens_expires ON tokens (expires);
