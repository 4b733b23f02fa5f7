-- driftflow: ignore DF113 reason="nobody reads it" until=2099-12-31
ALTER TABLE users RENAME COLUMN nick TO nickname;

ALTER TABLE users
	DROP COLUMN email,
	ALTER COLUMN age SET NOT NULL;
UPDATE users SET note = '名前: 100% <b>|x|</b>', "大きな列" = 5;
