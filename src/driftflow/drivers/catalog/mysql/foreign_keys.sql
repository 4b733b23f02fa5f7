SELECT r.constraint_name, r.table_name, r.update_rule, r.delete_rule, r.match_option,
       k.column_name, k.referenced_table_schema, k.referenced_table_name, k.referenced_column_name
FROM information_schema.referential_constraints AS r
JOIN information_schema.key_column_usage AS k USING (constraint_schema, constraint_name, table_name)
WHERE r.constraint_schema = DATABASE() AND k.table_schema = DATABASE() AND k.referenced_table_name IS NOT NULL
  AND r.table_name IN :relations
  AND k.table_name IN :relations
ORDER BY r.table_name, r.constraint_name, k.ordinal_position
