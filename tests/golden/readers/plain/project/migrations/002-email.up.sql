-- driftflow: file transaction=none
ALTER TABLE users ADD COLUMN email text;
