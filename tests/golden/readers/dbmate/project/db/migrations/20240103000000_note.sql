-- migrate:up transaction:false
ALTER TABLE users ADD COLUMN note text;
-- migrate:down transaction:false
ALTER TABLE users DROP COLUMN note;
