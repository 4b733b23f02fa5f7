-- postgresql
-- given
CREATE TYPE mood AS ENUM ('glad', 'sad');
-- migration
ALTER TYPE mood RENAME VALUE 'glad' TO 'happy';
