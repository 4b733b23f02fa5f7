SHOW SESSION VARIABLES WHERE Variable_name IN (
  'sql_mode', 'lower_case_table_names', 'innodb_strict_mode', 'foreign_key_checks', 'default_storage_engine',
  'character_set_database', 'collation_database', 'character_set_server', 'restrict_fk_on_non_standard_key',
  'sql_require_primary_key', 'version_comment', 'read_only', 'super_read_only', 'log_bin', 'binlog_format',
  'check_constraint_checks', 'explicit_defaults_for_timestamp', 'innodb_page_size', 'alter_algorithm', 'gtid_mode',
  'wsrep_on', 'group_replication_group_name', 'lock_wait_timeout', 'innodb_online_alter_log_max_size',
  'log_bin_trust_function_creators', 'autocommit', 'time_zone', 'system_versioning_alter_history')
