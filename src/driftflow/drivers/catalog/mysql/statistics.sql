SELECT * FROM information_schema.statistics WHERE table_schema = DATABASE()
  AND table_name IN :relations
ORDER BY table_name, index_name, seq_in_index
