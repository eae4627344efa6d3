-- The columns of the tables in ? (JSON: [["main", name], ...]). SQLite cannot drop a column's NOT NULL.
SELECT wanted.value ->> 0 AS schema_name, wanted.value ->> 1 AS table_name, column_info.name AS column_name,
       false AS droppable
FROM json_each(?) AS wanted, pragma_table_info(wanted.value ->> 1) AS column_info
