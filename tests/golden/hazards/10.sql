-- scene postgresql 16.4
-- speaks DF102 breaks
ALTER TABLE orders ADD COLUMN currency text NOT NULL;
-- silent
ALTER TABLE orders ADD COLUMN currency text NOT NULL DEFAULT 'EUR';
-- scene mysql 8.4.0
-- speaks DF665 loses
ALTER TABLE orders ADD COLUMN currency char(3) NOT NULL;
-- silent
ALTER TABLE orders ADD COLUMN currency char(3) NOT NULL DEFAULT 'EUR';
-- scene mariadb 10.11.6
-- speaks DF665 loses
ALTER TABLE orders ADD COLUMN currency char(3) NOT NULL;
-- silent
ALTER TABLE orders ADD COLUMN currency char(3);
-- scene sqlite 3.40.1
-- speaks DF102 breaks
ALTER TABLE orders ADD COLUMN currency TEXT NOT NULL;
-- silent
ALTER TABLE orders ADD COLUMN currency TEXT NOT NULL DEFAULT 'EUR';
