-- mysql version=8.4.0 transaction=none
-- given
CREATE TABLE users (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, email varchar(50) NOT NULL, age int) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
-- migration
ALTER TABLE users ENGINE=MyISAM;
