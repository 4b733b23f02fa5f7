-- postgresql
-- given
CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL, age integer);
CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint, status varchar(20), total numeric(10,2));
CREATE VIEW adults AS SELECT id, email FROM users;
CREATE FUNCTION save() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER adults_insert INSTEAD OF INSERT ON adults FOR EACH ROW EXECUTE FUNCTION save();
-- migration
DROP VIEW adults;
CREATE VIEW adults AS SELECT id, email, age FROM users;
