-- postgresql version=16 transaction=none
-- given
CREATE TABLE events (id bigint, at date NOT NULL, body text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE events_old PARTITION OF events FOR VALUES FROM ('2020-01-01') TO ('2026-01-01');
-- migration
ALTER TABLE events DETACH PARTITION events_old;
