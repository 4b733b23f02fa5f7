-- Buckets are [value, end] or [lower value, upper value, end, values]: only ends and counts leave the server.
SELECT table_name AS `table`, column_name AS `column`, histogram ->> '$."null-values"' AS null_fraction,
  IF(histogram ->> '$."histogram-type"' = 'singleton', histogram -> '$.buckets[*][1]', histogram -> '$.buckets[*][2]') AS ends,
  IF(histogram ->> '$."histogram-type"' = 'singleton', NULL, histogram -> '$.buckets[*][3]') AS counts
FROM information_schema.column_statistics WHERE schema_name = DATABASE() ORDER BY 1, 2
