SELECT table_name, grantee, privilege_type, is_grantable, NULL AS column_name
FROM information_schema.table_privileges WHERE table_schema = DATABASE()
UNION ALL
SELECT table_name, grantee, privilege_type, is_grantable, column_name
FROM information_schema.column_privileges WHERE table_schema = DATABASE()
ORDER BY 1, 2, 4, 3, 5
