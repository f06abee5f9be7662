-- +goose Up
-- replica_of is the source's id; held_by is the task of another instance that holds this one as a member of its set.
ALTER TABLE instances
    ADD COLUMN replica_of varchar(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
    ADD COLUMN fenced tinyint(1) NOT NULL DEFAULT 0,
    ADD COLUMN ever_active tinyint(1) NOT NULL DEFAULT 0,
    ADD COLUMN held_by varchar(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '';
UPDATE instances SET ever_active = 1 WHERE EXISTS (
    SELECT 1 FROM tasks WHERE instance_id = instances.id AND action = 'create_instance' AND state = 'SUCCEEDED'
);

-- Both are JSON objects, or empty: what runs noted, and what the task holds of the project's quota.
ALTER TABLE tasks
    ADD COLUMN notes mediumtext NOT NULL DEFAULT (''),
    ADD COLUMN quota mediumtext NOT NULL DEFAULT ('');

-- The other instances of the set that a task is about.
CREATE TABLE task_members (
    task_id varchar(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    instance_id varchar(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    status_before varchar(64) NOT NULL,
    problem mediumtext NOT NULL,
    PRIMARY KEY (task_id, instance_id),
    FOREIGN KEY (task_id) REFERENCES tasks (id),
    FOREIGN KEY (instance_id) REFERENCES instances (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- A call that made no task has none; outcomes is JSON, or empty: what a call answered that made several.
ALTER TABLE idempotency_keys
    MODIFY COLUMN task_id varchar(36) CHARACTER SET ascii COLLATE ascii_bin,
    ADD COLUMN outcomes mediumtext NOT NULL DEFAULT ('');

CREATE INDEX instances_replica_of ON instances (replica_of, id);
CREATE INDEX task_members_instance ON task_members (instance_id);
