-- mariadb version=10.11.6 transaction=none
-- given
CREATE TABLE users (id bigint unsigned NOT NULL PRIMARY KEY) ENGINE=InnoDB;
CREATE TABLE orders (id bigint unsigned NOT NULL PRIMARY KEY, user_id bigint unsigned, total int, CONSTRAINT orders_user_fk FOREIGN KEY (user_id) REFERENCES users (id)) ENGINE=InnoDB;
-- migration
ALTER TABLE orders DROP CONSTRAINT orders_user_fk, MODIFY total bigint;
