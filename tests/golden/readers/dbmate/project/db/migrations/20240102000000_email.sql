-- migrate:up
-- driftflow: ignore DF101 reason="small table"
ALTER TABLE users ADD COLUMN email text;
-- migrate:down
ALTER TABLE users DROP COLUMN email;
