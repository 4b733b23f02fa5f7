-- scene postgresql 16.4
-- given
CREATE SCHEMA old;
CREATE TABLE old.things (id bigint PRIMARY KEY);
-- speaks DF111 loses
ALTER TABLE users DROP COLUMN name;
-- speaks DF401 loses
DROP TABLE orders;
-- speaks DF401 loses
DROP SCHEMA old CASCADE;
-- speaks DF401 loses
DROP DATABASE shop;
-- silent
CREATE TABLE scratch (id bigint PRIMARY KEY);
DROP TABLE scratch;
-- scene mysql 8.4.0
-- speaks DF111 loses
ALTER TABLE users DROP COLUMN name;
-- speaks DF401 loses
DROP TABLE orders;
-- speaks DF401 loses
DROP DATABASE shop;
-- silent
CREATE TABLE scratch (id bigint PRIMARY KEY);
DROP TABLE scratch;
-- scene mariadb 10.11.6
-- speaks DF111 loses
ALTER TABLE users DROP COLUMN name;
-- speaks DF401 loses
DROP TABLE orders;
-- speaks DF401 loses
DROP DATABASE shop;
-- silent
CREATE TABLE carts (id bigint NOT NULL PRIMARY KEY, age int);
DROP TABLE carts;
-- scene sqlite 3.40.1
-- speaks DF111 loses
ALTER TABLE users DROP COLUMN name;
-- speaks DF401 loses
DROP TABLE orders;
-- silent
CREATE TABLE scratch (id INTEGER PRIMARY KEY);
DROP TABLE scratch;
