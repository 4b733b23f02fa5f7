CREATE TABLE `users` (
	`id` integer PRIMARY KEY
);
--> statement-breakpoint
CREATE TABLE `log` (`id` integer);