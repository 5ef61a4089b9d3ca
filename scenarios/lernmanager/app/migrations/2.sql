-- What the analytics queue records.
CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    happened_at TEXT NOT NULL,
    kind TEXT NOT NULL,
    user_id INTEGER REFERENCES users (id) ON DELETE SET NULL,
    subject TEXT NOT NULL DEFAULT ''
);
CREATE INDEX events_by_kind ON events (kind, happened_at);
