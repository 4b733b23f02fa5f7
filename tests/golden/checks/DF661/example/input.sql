-- mysql version=8.0.36 transaction=none
-- given
CREATE TABLE users (id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, email varchar(50) NOT NULL, age int DEFAULT 18 COMMENT 'in years', note text) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE orders (id bigint unsigned NOT NULL PRIMARY KEY, user_id bigint unsigned, status varchar(20)) ENGINE=InnoDB;
-- migration
ALTER TABLE users MODIFY email varchar(100) NOT NULL;
