-- scene postgresql 16.4
-- given
CREATE TABLE events (id bigint, day date) PARTITION BY RANGE (day);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
-- speaks DF301 blocks
CREATE INDEX events_id_idx ON events (id);
-- speaks DF005 breaks
CREATE INDEX CONCURRENTLY events_id_idx ON events (id);
-- silent
CREATE INDEX events_id_idx ON ONLY events (id);
-- next migration
CREATE INDEX CONCURRENTLY events_1_id_idx ON events_1 (id);
-- next migration
ALTER INDEX events_id_idx ATTACH PARTITION events_1_id_idx;
