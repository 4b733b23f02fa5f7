DROP VIEW IF EXISTS all_users;
CREATE VIEW all_users AS SELECT id FROM users;
