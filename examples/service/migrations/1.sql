-- The queue and the archive in one: a letter without an end is still to be delivered. Times are in milliseconds.
CREATE TABLE letters (
    id        INTEGER PRIMARY KEY,
    recipient TEXT    NOT NULL,
    text      TEXT    NOT NULL,
    attempts  INTEGER NOT NULL DEFAULT 0,
    due       INTEGER NOT NULL, -- the next attempt is not before
    ended     INTEGER,          -- when it was delivered or returned
    error     TEXT              -- of the last attempt
) STRICT;
CREATE INDEX queue ON letters (due) WHERE ended IS NULL;
CREATE INDEX archive ON letters (ended) WHERE ended IS NOT NULL;
