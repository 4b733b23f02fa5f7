-- The database keeps ciphertext and the id of the key that made it, never the secret itself. The seeds of the pilot
-- (users.totp_seed) are encrypted in chunks by the application's own function.
ALTER TABLE users ADD COLUMN two_factor_ciphertext varbinary(512);

-- driftflow: backfill columns=two_factor_ciphertext,two_factor_key_id function=two_factor_keys:encrypt inputs=id,totp_seed path=two_factor_keys.py where="totp_seed IS NOT NULL"
ALTER TABLE users ADD COLUMN two_factor_key_id varchar(64);

-- Opt-in: nobody is switched on by the migration.
ALTER TABLE users ADD COLUMN two_factor_enabled boolean NOT NULL DEFAULT FALSE;

-- driftflow: verify query="SELECT count(*) FROM users WHERE totp_seed IS NOT NULL AND two_factor_ciphertext IS NULL" expect=0 summary="Every pilot user's seed has its ciphertext"
-- driftflow: verify query="SELECT count(*) FROM users WHERE two_factor_enabled" expect=0 summary="Nobody was switched on"
ALTER TABLE users ADD CONSTRAINT users_two_factor_check
    CHECK (NOT two_factor_enabled OR (two_factor_ciphertext IS NOT NULL AND two_factor_key_id IS NOT NULL));
