"""`read_schema`: the tables, indexes, constraints and functions of a database, to compare two."""

from sqlalchemy import URL, create_engine, text

_QUERIES = {
    "tables": "SELECT relname, relkind, relpersistence, obj_description(oid, 'pg_class') "
    "FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S', 'v')",
    # Only the order of columns counts: a dropped column leaves a gap in the numbers.
    "columns": "SELECT relname, attname, row_number() OVER (PARTITION BY c.oid ORDER BY attnum), "
    "format_type(atttypid, atttypmod), attnotnull, "
    "attidentity, attgenerated, pg_get_expr(adbin, adrelid), "
    "col_description(attrelid, attnum) FROM pg_attribute JOIN pg_class c ON c.oid = attrelid "
    "LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum "
    "WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0 "
    "AND NOT attisdropped",
    "indexes": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "constraints": "SELECT conname, conrelid::regclass::text, pg_get_constraintdef(oid) "
    "FROM pg_constraint WHERE connamespace = 'public'::regnamespace",
    "storage": "SELECT attrelid::regclass::text, attname, attstorage FROM pg_attribute "
    "JOIN pg_class c ON c.oid = attrelid WHERE relnamespace = 'public'::regnamespace "
    "AND relkind = 'r' AND attnum > 0 AND NOT attisdropped",
    "targets": "SELECT attrelid::regclass::text, attname FROM pg_attribute "
    "JOIN pg_class c ON c.oid = attrelid WHERE relnamespace = 'public'::regnamespace "
    "AND relkind = 'r' AND attnum > 0 AND NOT attisdropped AND attstattarget = 0",
    "statistics": "SELECT pg_get_statisticsobjdef(oid) FROM pg_statistic_ext "
    "WHERE stxnamespace = 'public'::regnamespace",
    "triggers": "SELECT pg_get_triggerdef(oid), tgenabled FROM pg_trigger WHERE NOT tgisinternal",
    "functions": "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE prokind = 'f' "
    "AND pronamespace = 'public'::regnamespace AND NOT EXISTS (SELECT FROM pg_depend "
    "WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'e')",
}

Facts = dict[str, set[tuple[object, ...]]]


def read_schema(url: URL) -> Facts:
    """Return the schema of the database at *url*, including comments, as rows for each kind."""
    engine = create_engine(url)
    with engine.connect() as connection:
        facts = {
            name: {tuple(row) for row in connection.execute(text(query))}
            for name, query in _QUERIES.items()
        }
    engine.dispose()
    return facts


def read_key_functions(url: URL) -> list[str]:
    """Return the statements that create the functions of indexes and generated columns."""
    names = "'fold_accents', 'search_key', 'word_keys', 'name_words', 'name_vector'"
    engine = create_engine(url)
    with engine.connect() as connection:
        statements = connection.scalars(
            text(
                "SELECT pg_get_functiondef(oid) FROM pg_proc "
                f"WHERE proname IN ({names}) ORDER BY oid"
            )
        ).all()
    engine.dispose()
    return list(statements)


def read_table_names(url: URL) -> set[object]:
    """Return the names of the tables."""
    return {row[0] for row in read_schema(url)["tables"] if row[1] == "r"}
