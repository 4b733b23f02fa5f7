SELECT table_name, view_definition, check_option, security_type, definer, character_set_client, collation_connection
FROM information_schema.views WHERE table_schema = DATABASE() ORDER BY table_name
