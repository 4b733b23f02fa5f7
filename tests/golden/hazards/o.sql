-- scene postgresql 16.4
-- given
CREATE TYPE mood AS ENUM ('sad', 'ok');
ALTER TABLE users ADD COLUMN feels mood;
-- speaks DF501 breaks
ALTER TYPE mood ADD VALUE 'happy';
UPDATE users SET feels = 'happy' WHERE id = 1;
-- silent
ALTER TYPE mood ADD VALUE 'happy';
-- next migration
UPDATE users SET feels = 'happy' WHERE id = 1;
