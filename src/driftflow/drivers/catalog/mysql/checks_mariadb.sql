SELECT * FROM information_schema.check_constraints
WHERE constraint_schema = DATABASE()
  AND table_name IN :relations
ORDER BY table_name, constraint_name
