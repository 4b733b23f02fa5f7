-- scene postgresql 16.4 transaction=none
-- speaks DF404 blocks
VACUUM FULL orders;
-- speaks DF404 blocks
CLUSTER orders USING orders_user_idx;
-- silent
VACUUM orders;
