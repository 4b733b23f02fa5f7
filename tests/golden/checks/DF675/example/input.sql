-- mariadb version=10.11.6 transaction=none
-- given
CREATE TABLE users (id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, email varchar(50) NOT NULL, age int DEFAULT 18) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE orders (id bigint unsigned NOT NULL PRIMARY KEY, user_id bigint unsigned, CONSTRAINT orders_user_fk FOREIGN KEY (user_id) REFERENCES users (id)) ENGINE=InnoDB;
-- migration
ALTER TABLE users MODIFY age bigint DEFAULT 18;
