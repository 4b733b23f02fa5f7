SELECT SUBSTRING_INDEX(name, '/', -1) AS table_name, total_row_versions
FROM information_schema.innodb_tables
WHERE name LIKE CONCAT(REPLACE(DATABASE(), '_', '\\_'), '/%') AND total_row_versions > 0
