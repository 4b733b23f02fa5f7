-- postgresql
-- given
CREATE TYPE mood AS ENUM ('glad', 'sad');
CREATE TABLE diary (id bigint PRIMARY KEY, felt mood);
-- migration
ALTER TYPE mood ADD VALUE 'calm';
INSERT INTO diary (id, felt) VALUES (1, 'calm');
