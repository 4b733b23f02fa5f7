SELECT table_name, partition_name, partition_method, partition_expression, partition_description, subpartition_method, table_rows
FROM information_schema.partitions
WHERE table_schema = DATABASE() AND partition_name IS NOT NULL
  AND table_name IN :relations
ORDER BY table_name, partition_ordinal_position
