SELECT routine_name, routine_type, routine_definition, dtd_identifier, is_deterministic, security_type, routine_comment,
       definer, sql_mode, character_set_client, collation_connection
FROM information_schema.routines WHERE routine_schema = DATABASE() ORDER BY routine_name
