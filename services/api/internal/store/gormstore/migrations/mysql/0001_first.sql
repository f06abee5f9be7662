-- +goose Up
-- An instance; deleted ones keep their row.
CREATE TABLE instances (
    id varchar(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    project_id varchar(255) NOT NULL,
    name varchar(255) NOT NULL,
    datastore_version_id varchar(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    flavor_id varchar(255) NOT NULL,
    ram int NOT NULL,
    volume_size int NOT NULL,
    volume_type varchar(255) NOT NULL,
    region varchar(255) NOT NULL,
    availability_zone varchar(255) NOT NULL,
    locality varchar(255) NOT NULL,
    access mediumtext NOT NULL,
    task_status varchar(64) NOT NULL,
    server_status varchar(64) NOT NULL,
    service_status varchar(64) NOT NULL,
    service_status_updated bigint,
    silent tinyint(1) NOT NULL,
    agent_life_began bigint NOT NULL,
    agent_sequence bigint NOT NULL,
    volume_used_bytes bigint NOT NULL,
    volume_total_bytes bigint NOT NULL,
    server_id varchar(255) NOT NULL,
    volume_id varchar(255) NOT NULL,
    guest_address varchar(255) NOT NULL,
    addresses mediumtext NOT NULL,
    fault_message mediumtext NOT NULL,
    fault_details mediumtext NOT NULL,
    fault_created bigint,
    guest_public_key mediumblob,
    guest_certificate_expires bigint,
    epoch bigint NOT NULL,
    tasks_accepted bigint NOT NULL,
    created bigint NOT NULL,
    updated bigint NOT NULL,
    deleted bigint
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- An accepted change of one instance; ordinal is its place among those of the instance.
CREATE TABLE tasks (
    id varchar(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    instance_id varchar(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    ordinal bigint NOT NULL,
    instance_name varchar(255) NOT NULL,
    project_id varchar(255) NOT NULL,
    request_id varchar(255) NOT NULL,
    action varchar(64) NOT NULL,
    state varchar(64) NOT NULL,
    status_before varchar(64) NOT NULL,
    progress int NOT NULL,
    command mediumblob NOT NULL,
    steps mediumtext NOT NULL,
    epoch bigint NOT NULL,
    claims int NOT NULL,
    worker varchar(255) NOT NULL,
    lease_expires bigint,
    stop int NOT NULL,
    error_code varchar(64) NOT NULL,
    error_step varchar(64) NOT NULL,
    error_message mediumtext NOT NULL,
    rings int NOT NULL,
    rung bigint NOT NULL,
    created bigint NOT NULL,
    started bigint,
    finished bigint,
    UNIQUE (instance_id, ordinal),
    FOREIGN KEY (instance_id) REFERENCES instances (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Sealed secrets, until the task that needs them ends.
CREATE TABLE task_secrets (
    task_id varchar(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    instance_id varchar(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    sealed mediumblob NOT NULL,
    FOREIGN KEY (task_id) REFERENCES tasks (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Callers' keys; fingerprint is a keyed hash of the request.
CREATE TABLE idempotency_keys (
    project_id varchar(255) NOT NULL,
    idempotency_key varchar(255) NOT NULL,
    fingerprint varbinary(64) NOT NULL,
    task_id varchar(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    expires bigint NOT NULL,
    PRIMARY KEY (project_id, idempotency_key),
    FOREIGN KEY (task_id) REFERENCES tasks (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What projects have taken.
CREATE TABLE quota_usage (
    project_id varchar(255) NOT NULL,
    resource varchar(64) NOT NULL,
    in_use int NOT NULL,
    PRIMARY KEY (project_id, resource)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Limits of a project's own.
CREATE TABLE quota_limits (
    project_id varchar(255) NOT NULL,
    resource varchar(64) NOT NULL,
    hard_limit int NOT NULL,
    PRIMARY KEY (project_id, resource)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Messages that were committed and not yet acknowledged by NATS.
CREATE TABLE outbox (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    subject varchar(255) NOT NULL,
    message_id varchar(255) NOT NULL,
    payload mediumblob NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The living taskmanagers.
CREATE TABLE monitors (
    worker varchar(255) NOT NULL,
    expires bigint NOT NULL,
    PRIMARY KEY (worker)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Database engines.
CREATE TABLE datastores (
    id varchar(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    name varchar(255) NOT NULL,
    UNIQUE (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Versions of engines; is_default marks its datastore's default.
CREATE TABLE datastore_versions (
    id varchar(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    datastore_id varchar(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    manager varchar(64) NOT NULL,
    name varchar(255) NOT NULL,
    version varchar(255) NOT NULL,
    active tinyint(1) NOT NULL,
    is_default tinyint(1) NOT NULL,
    UNIQUE (datastore_id, name),
    FOREIGN KEY (datastore_id) REFERENCES datastores (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- One row: what the provider said last, as it said it.
CREATE TABLE provider (
    id int NOT NULL PRIMARY KEY,
    registration mediumblob NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Hashes of issued tokens of the built-in identity.
CREATE TABLE tokens (
    hash varbinary(64) NOT NULL PRIMARY KEY,
    user_id varchar(255) NOT NULL,
    payload mediumblob,
    expires bigint NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE INDEX instances_project ON instances (project_id, id);
CREATE INDEX tasks_project ON tasks (project_id, created, id);
CREATE INDEX tasks_unfinished ON tasks (finished, rung);
CREATE INDEX tasks_unfinished_of_instance ON tasks (instance_id, finished, ordinal);
CREATE INDEX idempotency_keys_expires ON idempotency_keys (expires);
CREATE INDEX tokens_expires ON tokens (expires);
