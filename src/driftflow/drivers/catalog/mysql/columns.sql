SELECT * FROM information_schema.columns WHERE table_schema = DATABASE()
  AND table_name IN :relations
ORDER BY table_name, ordinal_position
