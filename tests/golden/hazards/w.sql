-- scene postgresql 18.0
-- speaks DF121 note
ALTER TABLE orders ADD COLUMN doubled numeric GENERATED ALWAYS AS (total * 2);
-- silent
ALTER TABLE orders ADD COLUMN doubled numeric GENERATED ALWAYS AS (total * 2) VIRTUAL;
-- scene postgresql 18.0
-- given
CREATE TABLE events (id bigint, day date) PARTITION BY RANGE (day);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
-- speaks DF208 blocks
ALTER TABLE events ADD CONSTRAINT events_key UNIQUE (id, day);
-- silent
ALTER TABLE events ADD COLUMN x int;
