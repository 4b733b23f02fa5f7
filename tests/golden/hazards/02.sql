-- scene postgresql 16.4
-- speaks DF302 blocks
DROP INDEX orders_user_idx;
-- silent
DROP INDEX CONCURRENTLY orders_user_idx;
