-- scene mariadb 10.11.6
-- given
CREATE TABLE parent (id bigint NOT NULL PRIMARY KEY, age int NOT NULL DEFAULT 0) ENGINE=InnoDB;
CREATE TABLE child (id bigint NOT NULL PRIMARY KEY, up bigint, CONSTRAINT child_up FOREIGN KEY (up) REFERENCES parent (id)) ENGINE=InnoDB;
CREATE TABLE selfish (id bigint NOT NULL PRIMARY KEY, up bigint, age int, CONSTRAINT selfish_up FOREIGN KEY (up) REFERENCES selfish (id)) ENGINE=InnoDB;
-- speaks DF675 breaks
ALTER TABLE parent MODIFY age bigint NOT NULL DEFAULT 0;
-- speaks DF675 breaks
ALTER TABLE parent FORCE, ALGORITHM=COPY;
-- silent
ALTER TABLE parent FORCE;
-- silent
ALTER TABLE child ADD COLUMN age int;
