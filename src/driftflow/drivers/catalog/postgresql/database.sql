-- One row: which server and database this is, and the settings that predictions need.
select
    current_setting('server_version_num')::int as server_version_num,
    version() as version_text,
    current_database() as database,
    current_user as role,
    to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as captured_at,
    pg_is_in_recovery() as in_recovery,
    current_setting('block_size')::int as block_size,
    (
        select jsonb_object_agg(wanted.name, current_setting(wanted.name, true))
        from unnest(array[
            'server_version_num', 'wal_level', 'max_connections', 'max_wal_senders', 'max_locks_per_transaction',
            'max_standby_streaming_delay', 'max_standby_archive_delay', 'hot_standby_feedback',
            'lock_timeout', 'statement_timeout', 'idle_in_transaction_session_timeout', 'deadlock_timeout',
            'default_transaction_read_only', 'default_transaction_isolation',
            'default_table_access_method', 'default_tablespace', 'default_toast_compression',
            'maintenance_work_mem', 'max_parallel_maintenance_workers', 'synchronous_commit',
            'row_security', 'session_replication_role', 'standard_conforming_strings', 'check_function_bodies',
            'server_encoding', 'TimeZone', 'track_counts', 'autovacuum', 'is_superuser', 'driftflow.disposable'
        ]) as wanted (name)
        where current_setting(wanted.name, true) is not null
    ) as settings
