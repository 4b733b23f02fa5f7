-- postgresql
-- given
CREATE TYPE mood AS ENUM ('glad', 'sad');
-- migration
ALTER TYPE mood ADD VALUE 'calm';
