-- scene postgresql 16.4
-- given
CREATE TABLE events (id bigint, day date) PARTITION BY RANGE (day);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
-- speaks DF408 blocks
ALTER TABLE events DETACH PARTITION events_1;
-- silent
ALTER TABLE events DETACH PARTITION events_1 CONCURRENTLY;
