-- The columns of the tables in ? (JSON: [["main", name], ...]). SQLite cannot drop a column's NOT NULL.
SELECT w.value ->> 0 AS schema_name, w.value ->> 1 AS table_name, c.name AS column_name, false AS droppable
FROM json_each(?) AS w, pragma_table_info(w.value ->> 1) AS c
