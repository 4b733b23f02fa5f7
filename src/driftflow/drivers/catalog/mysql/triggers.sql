SELECT * FROM information_schema.triggers WHERE trigger_schema = DATABASE()
  AND event_object_table IN :relations
ORDER BY event_object_table, trigger_name
