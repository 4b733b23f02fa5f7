-- postgresql
-- given
CREATE TABLE users (id bigint PRIMARY KEY, two_factor_ciphertext bytea, two_factor_key_id text);
-- migration
ALTER TABLE users ADD COLUMN two_factor_enabled boolean DEFAULT false;
