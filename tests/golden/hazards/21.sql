-- scene postgresql 16.4
-- given
ALTER TABLE users ADD COLUMN code integer;
CREATE UNIQUE INDEX users_code_key ON users (code);
CREATE TABLE logs (id bigint, line text);
CREATE TABLE events (id bigint NOT NULL, line text);
CREATE UNIQUE INDEX events_id_key ON events (id);
-- speaks DF208 blocks
ALTER TABLE logs ADD PRIMARY KEY (id);
-- silent
ALTER TABLE events ADD CONSTRAINT events_pkey PRIMARY KEY USING INDEX events_id_key;
-- scene postgresql 16.4
-- given
CREATE TABLE logs (id bigint, line text);
CREATE UNIQUE INDEX logs_id_key ON logs (id);
CREATE TABLE events (id bigint NOT NULL, line text);
CREATE UNIQUE INDEX events_id_key ON events (id);
-- speaks DF209 blocks
ALTER TABLE logs ADD CONSTRAINT logs_pkey PRIMARY KEY USING INDEX logs_id_key;
-- silent
ALTER TABLE events ADD CONSTRAINT events_pkey PRIMARY KEY USING INDEX events_id_key;
-- scene mysql 8.4.0
-- given
CREATE TABLE logs (id bigint NOT NULL, line text) ENGINE=InnoDB;
-- speaks DF662 blocks
ALTER TABLE logs ADD PRIMARY KEY (id);
-- speaks DF661 blocks
ALTER TABLE orders DROP PRIMARY KEY;
-- silent
CREATE TABLE logs2 (id bigint NOT NULL PRIMARY KEY, line text) ENGINE=InnoDB;
-- scene mariadb 10.11.6
-- given
CREATE TABLE logs (id bigint NOT NULL, line text) ENGINE=InnoDB;
-- speaks DF662 blocks
ALTER TABLE logs ADD PRIMARY KEY (id);
-- speaks DF661 blocks
ALTER TABLE orders DROP PRIMARY KEY;
-- silent
CREATE TABLE carts (id bigint NOT NULL PRIMARY KEY, age int);
-- scene sqlite 3.40.1
-- given
CREATE TABLE logs (id INTEGER, line TEXT);
-- speaks DF651 breaks
ALTER TABLE logs ADD PRIMARY KEY (id);
-- silent
CREATE TABLE carts (id INTEGER PRIMARY KEY, age INTEGER NOT NULL CHECK (age > 0), email TEXT UNIQUE, user_id INTEGER REFERENCES users (id));
CREATE INDEX carts_user_idx ON carts (user_id);
