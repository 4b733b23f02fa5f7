SELECT table_name AS `table`, column_name AS `column`, nulls_ratio AS null_fraction, avg_frequency AS average,
  IF(hist_type = 'JSON_HB', JSON_EXTRACT(CONVERT(histogram USING utf8mb4), '$.histogram_hb[*].size'), NULL) AS sizes,
  IF(hist_type = 'JSON_HB', JSON_EXTRACT(CONVERT(histogram USING utf8mb4), '$.histogram_hb[*].ndv'), NULL) AS counts
FROM mysql.column_stats WHERE db_name = DATABASE() ORDER BY 1, 2
