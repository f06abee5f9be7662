-- +goose Up
-- replica_of is the source's id; held_by is the task of another instance that holds this one as a member of its set.
ALTER TABLE instances ADD COLUMN replica_of TEXT NOT NULL DEFAULT '';
ALTER TABLE instances ADD COLUMN fenced INTEGER NOT NULL DEFAULT 0;
ALTER TABLE instances ADD COLUMN ever_active INTEGER NOT NULL DEFAULT 0;
ALTER TABLE instances ADD COLUMN held_by TEXT NOT NULL DEFAULT '';
UPDATE instances SET ever_active = 1 WHERE EXISTS (
    SELECT 1 FROM tasks WHERE instance_id = instances.id AND action = 'create_instance' AND state = 'SUCCEEDED'
);

-- Both are JSON objects, or empty: what runs noted, and what the task holds of the project's quota.
ALTER TABLE tasks ADD COLUMN notes TEXT NOT NULL DEFAULT '';
ALTER TABLE tasks ADD COLUMN quota TEXT NOT NULL DEFAULT '';

-- The other instances of the set that a task is about.
CREATE TABLE task_members (
    task_id TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    status_before TEXT NOT NULL,
    problem TEXT NOT NULL,
    PRIMARY KEY (task_id, instance_id),
    FOREIGN KEY (task_id) REFERENCES tasks (id),
    FOREIGN KEY (instance_id) REFERENCES instances (id)
) STRICT;

-- A call that made no task has none; outcomes is JSON, or empty: what a call answered that made several.
CREATE TABLE new_idempotency_keys (
    project_id TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    task_id TEXT,
    outcomes TEXT NOT NULL DEFAULT '',
    expires INTEGER NOT NULL,
    PRIMARY KEY (project_id, idempotency_key),
    FOREIGN KEY (task_id) REFERENCES tasks (id)
) STRICT;
INSERT INTO new_idempotency_keys (project_id, idempotency_key, fingerprint, task_id, expires)
    SELECT project_id, idempotency_key, fingerprint, task_id, expires FROM idempotency_keys;
DROP TABLE idempotency_keys;
ALTER TABLE new_idempotency_keys RENAME TO idempotency_keys;
CREATE INDEX idempotency_keys_expires ON idempotency_keys (expires);

-- Partial, so that saving an instance without a source leaves it alone; queries repeat its condition.
CREATE INDEX instances_replica_of ON instances (replica_of, id) WHERE replica_of <> '';
CREATE INDEX task_members_instance ON task_members (instance_id);
