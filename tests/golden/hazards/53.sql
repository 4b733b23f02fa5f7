-- scene mysql 8.4.0
-- speaks DF665 loses
ALTER TABLE orders ADD COLUMN currency char(3) NOT NULL;
-- silent
ALTER TABLE orders ADD COLUMN currency char(3);
-- scene mysql 8.4.0
-- speaks DF673 loses
SET SESSION sql_mode='';
ALTER TABLE orders MODIFY user_id bigint NOT NULL;
-- silent
ALTER TABLE orders MODIFY user_id bigint NOT NULL;
-- scene mariadb 10.11.6
-- speaks DF673 loses
SET SESSION sql_mode='';
ALTER TABLE orders MODIFY user_id bigint NOT NULL;
-- silent
ALTER TABLE orders MODIFY user_id bigint NOT NULL;
