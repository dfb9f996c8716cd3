-- What the hub's account needs on MySQL or MariaDB, and nothing more: no schema, no other database, no file, no other account.
-- The ledger, the events, the orders and the users cannot be deleted with it, and the ledger cannot be changed.
--
-- 1. As an account that owns the database, make the tables:   DATABASE_URL=mysql://owner:…@host/orders npm run migrate
-- 2. As one that may create accounts:                         CREATE USER order_hub@'%' IDENTIFIED BY '…';
-- 3. In the hub's database (mysql orders < ops/grants.sql):    this file
-- 4. Start the hub:                                           DATABASE_URL=mysql://order_hub:…@host/orders npm start
--
-- After an upgrade 1 and 3 again: the hub itself says so at its start, if tables are missing.

-- People and their sessions. A user who leaves is marked, not deleted.
GRANT SELECT, INSERT, UPDATE ON users TO order_hub@'%';
GRANT SELECT, INSERT, DELETE ON sessions TO order_hub@'%';
GRANT SELECT, INSERT, DELETE ON ended_sessions TO order_hub@'%';

-- Money. What is written into the ledger stays.
GRANT SELECT, INSERT, UPDATE ON wallets TO order_hub@'%';
GRANT SELECT, INSERT ON wallet_entries TO order_hub@'%';

-- Stores and what is for sale.
GRANT SELECT, INSERT ON stores TO order_hub@'%';
GRANT SELECT, INSERT, UPDATE ON books TO order_hub@'%';
GRANT SELECT, INSERT, UPDATE ON book_texts TO order_hub@'%';
GRANT SELECT, INSERT, UPDATE ON book_stock TO order_hub@'%';
GRANT SELECT, INSERT, DELETE ON book_grams TO order_hub@'%';

-- Orders.
GRANT SELECT, INSERT, UPDATE ON orders TO order_hub@'%';

-- What is kept for a time only: events, answers to keys, the batches that hubs tell each other of.
GRANT SELECT, INSERT, UPDATE ON rooms TO order_hub@'%';
GRANT SELECT, INSERT, DELETE ON room_events TO order_hub@'%';
GRANT SELECT, INSERT, DELETE ON command_answers TO order_hub@'%';
GRANT SELECT, INSERT, DELETE ON hub_batches TO order_hub@'%';

-- Which migrations have been run: looked at when the hub starts.
GRANT SELECT ON migrations TO order_hub@'%';
