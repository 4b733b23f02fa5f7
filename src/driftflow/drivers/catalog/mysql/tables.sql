SELECT * FROM information_schema.tables WHERE table_schema = DATABASE()
  AND table_name IN :relations
ORDER BY table_name
