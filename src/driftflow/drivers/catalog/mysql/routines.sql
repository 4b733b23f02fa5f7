SELECT routine_name, routine_type, routine_definition, dtd_identifier, is_deterministic, security_type, routine_comment
FROM information_schema.routines WHERE routine_schema = DATABASE() ORDER BY routine_name
