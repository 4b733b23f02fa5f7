-- scene postgresql 16.4
-- given
CREATE TABLE events (id bigint, day date) PARTITION BY RANGE (day);
CREATE TABLE events_rest PARTITION OF events DEFAULT;
CREATE TABLE events_2 (id bigint, day date);
-- speaks DF407 blocks
ALTER TABLE events ATTACH PARTITION events_2 FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
-- speaks DF407 blocks
CREATE TABLE events_3 PARTITION OF events FOR VALUES FROM ('2026-03-01') TO ('2026-04-01');
-- scene postgresql 16.4
-- given
CREATE TABLE events (id bigint, day date) PARTITION BY RANGE (day);
CREATE TABLE events_2 (id bigint, day date NOT NULL, CONSTRAINT d CHECK (day >= '2026-02-01' AND day < '2026-03-01'));
CREATE TABLE events_4 (id bigint, day date);
-- speaks DF407 blocks
ALTER TABLE events ATTACH PARTITION events_4 FOR VALUES FROM ('2026-04-01') TO ('2026-05-01');
-- silent
ALTER TABLE events ATTACH PARTITION events_2 FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
