SELECT table_name AS `table`, column_name AS `column`, MAX(cardinality) AS `distinct`
FROM information_schema.statistics
WHERE table_schema = DATABASE() AND seq_in_index = 1 AND column_name IS NOT NULL AND sub_part IS NULL AND cardinality IS NOT NULL
GROUP BY table_name, column_name ORDER BY 1, 2
