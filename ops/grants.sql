-- The rights of the hub's account on MySQL or MariaDB: rows only, without schema, other databases, files or accounts.
-- It cannot delete ledger entries, orders or users, and cannot change ledger entries.
--
-- 1. As the owner of the database, create the tables:         DATABASE_URL=mysql://owner:…@host/orders npm run migrate
-- 2. As an account that may create accounts:                  CREATE USER order_hub@'%' IDENTIFIED BY '…';
-- 3. In the hub's database (mysql orders < ops/grants.sql):    this file
-- 4. Start the hub:                                           DATABASE_URL=mysql://order_hub:…@host/orders npm start
--
-- After an upgrade repeat 1 and 3. A hub that misses tables says so at its start.

-- Users and sessions. Unregistering marks a user and does not delete the row.
GRANT SELECT, INSERT, UPDATE ON users TO order_hub@'%';
GRANT SELECT, INSERT, DELETE ON sessions TO order_hub@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON api_keys TO order_hub@'%';
GRANT SELECT, INSERT, DELETE ON ended_sessions TO order_hub@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON known_addresses TO order_hub@'%';

-- Who may act for a seller.
GRANT SELECT, INSERT, UPDATE, DELETE ON staff_members TO order_hub@'%';

-- Money. The ledger is append-only.
GRANT SELECT, INSERT, UPDATE ON wallets TO order_hub@'%';
GRANT SELECT, INSERT ON wallet_entries TO order_hub@'%';
GRANT SELECT, INSERT, UPDATE ON topups TO order_hub@'%';
GRANT SELECT, INSERT, UPDATE ON payouts TO order_hub@'%';

-- Stores and books. A store never changes hands.
GRANT SELECT, INSERT, UPDATE (name, accept_within_seconds, is_open, paused_until, version) ON stores TO order_hub@'%';
GRANT SELECT, INSERT, UPDATE ON books TO order_hub@'%';
GRANT SELECT, INSERT, UPDATE ON book_texts TO order_hub@'%';
GRANT SELECT, INSERT, UPDATE ON book_stock TO order_hub@'%';
GRANT SELECT, INSERT, DELETE ON book_grams TO order_hub@'%';

-- Orders.
GRANT SELECT, INSERT, UPDATE ON orders TO order_hub@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON order_addresses TO order_hub@'%';
GRANT SELECT, INSERT, DELETE ON order_notes TO order_hub@'%';

-- Kept for a limited time: events, answers to keys, the batch log.
GRANT SELECT, INSERT, UPDATE ON rooms TO order_hub@'%';
GRANT SELECT, INSERT, DELETE ON room_events TO order_hub@'%';
GRANT SELECT, INSERT, DELETE ON command_answers TO order_hub@'%';
GRANT SELECT, INSERT, DELETE ON hub_batches TO order_hub@'%';

-- Receivers of events over HTTP, and how far each has come.
GRANT SELECT, INSERT, UPDATE, DELETE ON webhooks TO order_hub@'%';

-- Browsers that push messages are sent to, what they are yet to be sent, who is connected, and the key that signs.
GRANT SELECT, INSERT, UPDATE, DELETE ON push_subscriptions TO order_hub@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON push_cursors TO order_hub@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON push_notices TO order_hub@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON push_presence TO order_hub@'%';
GRANT SELECT, INSERT ON vapid_keys TO order_hub@'%';

-- Which hub does what only one at a time should.
GRANT SELECT, INSERT, UPDATE ON leases TO order_hub@'%';

-- Which migrations have run, and which hubs may use the database: checked when the hub starts, and while it runs.
GRANT SELECT ON migrations TO order_hub@'%';
GRANT SELECT ON database_info TO order_hub@'%';
