-- The deferrable foreign keys. A statement that replaces such a key has to repeat the clause.
SELECT namespace.nspname::text AS schema_name, class.relname::text AS table_name,
       foreign_key.conname::text AS constraint_name, foreign_key.condeferred AS deferred
FROM pg_catalog.pg_constraint foreign_key
JOIN pg_catalog.pg_class class ON class.oid = foreign_key.conrelid
JOIN pg_catalog.pg_namespace namespace ON namespace.oid = class.relnamespace
WHERE foreign_key.contype = 'f' AND foreign_key.condeferrable
