CREATE TABLE users (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, email varchar(50) NOT NULL DEFAULT 'x' COMMENT 'login', name varchar(50), age int, status enum('new','old') NOT NULL DEFAULT 'new') ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE orders (id bigint NOT NULL PRIMARY KEY, user_id bigint, status varchar(20) DEFAULT 'new', total decimal(10,2), note text) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE INDEX orders_user_idx ON orders (user_id);
