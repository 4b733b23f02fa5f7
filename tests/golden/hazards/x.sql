-- scene postgresql 16.4
-- given
CREATE TABLE events (id bigint, user_id bigint) PARTITION BY HASH (id);
CREATE INDEX events_u ON events (user_id);
-- speaks DF005 breaks
ALTER TABLE events ADD CONSTRAINT events_user_fk FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID;
-- scene postgresql 18.0
-- given
CREATE TABLE events (id bigint, user_id bigint) PARTITION BY HASH (id);
CREATE INDEX events_u ON events (user_id);
-- speaks DF202 blocks
ALTER TABLE events ADD CONSTRAINT events_user_fk FOREIGN KEY (user_id) REFERENCES users (id);
-- silent
ALTER TABLE events ADD CONSTRAINT events_user_fk FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID;
