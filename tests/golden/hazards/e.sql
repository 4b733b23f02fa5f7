-- scene postgresql 16.4
-- given
CREATE SEQUENCE numbers;
-- speaks DF505 blocks
ALTER SEQUENCE numbers RESTART WITH 1000;
-- silent
CREATE SEQUENCE fresh;
ALTER SEQUENCE fresh RESTART WITH 1000;
