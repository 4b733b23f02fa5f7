-- Merged, the two views are joined row by row: for 500 checks the server works for seconds.
SELECT /*+ NO_MERGE(t, c) */ t.table_name, t.constraint_name, c.check_clause, t.enforced
FROM (
  SELECT table_name, constraint_name, enforced FROM information_schema.table_constraints
  WHERE table_schema = DATABASE() AND constraint_type = 'CHECK'
  AND table_name IN :relations
) AS t
JOIN (
  SELECT constraint_name, check_clause FROM information_schema.check_constraints WHERE constraint_schema = DATABASE()
) AS c ON c.constraint_name = t.constraint_name
ORDER BY t.table_name, t.constraint_name
