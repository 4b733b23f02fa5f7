-- The second migration, a release later: the flag is switched on for a tenth of those who enrolled, in chunks. A person's share is a hash of
-- the id, so the same people stay in it when the share grows; `% 10 < 1` becomes `< 3`, `< 10`. Nobody without a ciphertext is touched, and the
-- check users_two_factor_complete would refuse it.
UPDATE users SET two_factor_enabled = true
WHERE two_factor_ciphertext IS NOT NULL AND NOT two_factor_enabled AND abs(hashint8(id)::bigint) % 10 < 1;
