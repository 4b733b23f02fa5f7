-- mysql version=8.0.36
-- given
CREATE TABLE users (id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, email varchar(50) NOT NULL, age int DEFAULT 18 COMMENT 'in years', note text) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE orders (id bigint unsigned NOT NULL PRIMARY KEY, user_id bigint unsigned, status varchar(20)) ENGINE=InnoDB;
-- migration
UPDATE users SET age = 18 WHERE id = 1;
ALTER TABLE users ADD COLUMN score int;
