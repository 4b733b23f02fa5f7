-- scene postgresql 16.4
-- speaks DF002 breaks
CREATE UNIQUE INDEX CONCURRENTLY users_email_key ON users (email);
-- silent
CREATE INDEX CONCURRENTLY users_email_key ON users (email);
-- scene mysql 8.4.0
-- speaks DF002 breaks
ALTER TABLE users ADD UNIQUE INDEX users_email_key (email);
-- silent
ALTER TABLE users ADD INDEX users_email_key (email);
-- scene mariadb 10.11.6
-- speaks DF002 breaks
CREATE UNIQUE INDEX users_email_key ON users (email);
-- silent
CREATE INDEX users_email_key ON users (email);
-- scene sqlite 3.40.1
-- speaks DF002 breaks
CREATE UNIQUE INDEX users_email_key ON users (email);
-- silent
CREATE INDEX users_email_key ON users (email);
-- scene mysql 8.4.0
-- speaks DF415 loses
INSERT IGNORE INTO users (id, email) VALUES (1, 'x');
-- silent
INSERT INTO users (id, email) VALUES (1, 'x') ON DUPLICATE KEY UPDATE email = 'x';
-- scene mariadb 10.11.6
-- speaks DF415 loses
REPLACE INTO users (id, email) VALUES (1, 'x');
-- silent
INSERT INTO users (id, email) VALUES (1, 'x');
-- scene sqlite 3.40.1
-- speaks DF415 loses
INSERT OR REPLACE INTO users (id, email) VALUES (1, 'x');
-- silent
INSERT INTO users (id, email) VALUES (1, 'x') ON CONFLICT DO NOTHING;
