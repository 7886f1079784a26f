-- A new SQLite database at the last revision, as all migrations together make it: the tests compare the two.
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS conversations (
    id TEXT NOT NULL,
    title TEXT NOT NULL,
    model TEXT NOT NULL,
    shown TEXT,
    created DOUBLE NOT NULL,
    updated DOUBLE NOT NULL,
    pinned BOOLEAN DEFAULT 0 NOT NULL,
    folder TEXT DEFAULT '' NOT NULL,
    archived BOOLEAN DEFAULT 0 NOT NULL,
    named BOOLEAN DEFAULT 0 NOT NULL,
    manner TEXT DEFAULT '' NOT NULL,
    deleted BOOLEAN DEFAULT 0 NOT NULL,
    queue TEXT DEFAULT '' NOT NULL,
    owner TEXT DEFAULT 'local' NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX IF NOT EXISTS ix_conversations_updated ON conversations (updated);
CREATE TABLE IF NOT EXISTS nodes (
    number INTEGER NOT NULL,
    id TEXT NOT NULL,
    conversation TEXT NOT NULL,
    parent TEXT,
    generation TEXT,
    body BLOB NOT NULL,
    PRIMARY KEY (number),
    UNIQUE (id),
    FOREIGN KEY(conversation) REFERENCES conversations (id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS ix_nodes_conversation ON nodes (conversation);
CREATE TABLE IF NOT EXISTS files (
    conversation TEXT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (conversation, hash),
    FOREIGN KEY(conversation) REFERENCES conversations (id) ON DELETE CASCADE
);
CREATE TABLE IF NOT EXISTS preferences (
    person TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (person, name)
);
CREATE TABLE IF NOT EXISTS access (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (kind, id)
);
CREATE TABLE IF NOT EXISTS alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO alembic_version SELECT '0005' WHERE NOT EXISTS (SELECT 1 FROM alembic_version);
COMMIT;
