-- +goose Up
-- replica_of is the source's id; held_by is the task of another instance that holds this one as a member of its set.
ALTER TABLE instances ADD COLUMN replica_of varchar(36) COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE instances ADD COLUMN fenced boolean NOT NULL DEFAULT false;
ALTER TABLE instances ADD COLUMN ever_active boolean NOT NULL DEFAULT false;
ALTER TABLE instances ADD COLUMN held_by varchar(36) COLLATE "C" NOT NULL DEFAULT '';
UPDATE instances SET ever_active = true WHERE EXISTS (
    SELECT 1 FROM tasks WHERE instance_id = instances.id AND action = 'create_instance' AND state = 'SUCCEEDED'
);

-- Both are JSON objects, or empty: what runs noted, and what the task holds of the project's quota.
ALTER TABLE tasks ADD COLUMN notes text NOT NULL DEFAULT '';
ALTER TABLE tasks ADD COLUMN quota text NOT NULL DEFAULT '';

-- The other instances of the set that a task is about.
CREATE TABLE task_members (
    task_id varchar(36) COLLATE "C" NOT NULL,
    instance_id varchar(36) COLLATE "C" NOT NULL,
    status_before varchar(64) NOT NULL,
    problem text NOT NULL,
    PRIMARY KEY (task_id, instance_id),
    FOREIGN KEY (task_id) REFERENCES tasks (id),
    FOREIGN KEY (instance_id) REFERENCES instances (id)
);

-- A call that made no task has none; outcomes is JSON, or empty: what a call answered that made several.
ALTER TABLE idempotency_keys ALTER COLUMN task_id DROP NOT NULL;
ALTER TABLE idempotency_keys ADD COLUMN outcomes text NOT NULL DEFAULT '';

-- Partial, so that saving an instance without a source leaves it alone; queries repeat its condition.
CREATE INDEX instances_replica_of ON instances (replica_of, id) WHERE replica_of <> '';
CREATE INDEX task_members_instance ON task_members (instance_id);
