SELECT t.table_name, t.constraint_name, c.check_clause, t.enforced
FROM information_schema.table_constraints AS t
JOIN information_schema.check_constraints AS c
  ON c.constraint_schema = t.constraint_schema AND c.constraint_name = t.constraint_name
WHERE t.table_schema = DATABASE() AND t.constraint_type = 'CHECK'
  AND t.table_name IN :relations
ORDER BY t.table_name, t.constraint_name
