-- postgresql
-- given
CREATE TABLE users (id bigint PRIMARY KEY);
CREATE TABLE events (id bigint, at date, user_id bigint, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE INDEX events_user_id_idx ON events (user_id);
-- migration
ALTER TABLE events ADD CONSTRAINT events_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID;
