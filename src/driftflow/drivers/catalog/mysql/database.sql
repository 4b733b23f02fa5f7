SELECT @@version AS version, DATABASE() AS name, CAST(UTC_TIMESTAMP() AS CHAR) AS captured_at
