//! The id of a row, as both databases store it.

use std::{fmt, str::FromStr};

use sea_orm::{
    ColIdx, ColumnType, DbErr, QueryResult, TryFromU64, TryGetError, TryGetable, Value,
    prelude::Uuid,
    sea_query::{ArrayType, IntoIden, Nullable, ValueType, ValueTypeErr},
};

/// The id of a row: a UUID, stored as `uuid` on PostgreSQL and as hyphenated text on SQLite.
///
/// A value is bound without knowledge of the database. An id is therefore bound as text, and its column is declared as
/// an enum named `uuid`: sea-orm casts enum columns on PostgreSQL (`CAST($1 AS "uuid")`, `CAST("id" AS "text")`) and
/// does not cast them on SQLite. sea-orm's own types do not fit: `Uuid` is bound as a blob on SQLite, which never
/// equals text, and PostgreSQL rejects a comparison of `TextUuid` with `uuid`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub Uuid);

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for Id {
    type Err = <Uuid as FromStr>::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl From<Uuid> for Id {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl From<Id> for Uuid {
    fn from(id: Id) -> Self {
        id.0
    }
}

impl From<Id> for Value {
    fn from(id: Id) -> Self {
        id.to_string().into()
    }
}

impl TryGetable for Id {
    /// Reads text, or a `uuid` of PostgreSQL that a hand-written query selected without the cast.
    fn try_get_by<I: ColIdx>(row: &QueryResult, index: I) -> Result<Self, TryGetError> {
        match row.try_get_by::<String, _>(index) {
            Ok(text) => text.parse().map_err(|e| TryGetError::DbErr(DbErr::Type(format!("not a UUID: {e}")))),
            Err(not_text) => match <Option<Uuid> as TryGetable>::try_get_by(row, index) {
                Ok(Some(id)) => Ok(Self(id)),
                Ok(None) => Err(TryGetError::Null(format!("{index:?}"))),
                Err(_) => Err(TryGetError::DbErr(not_text)),
            },
        }
    }
}

impl ValueType for Id {
    fn try_from(value: Value) -> Result<Self, ValueTypeErr> {
        match value {
            Value::String(Some(text)) => text.parse().map_err(|_| ValueTypeErr),
            Value::Uuid(Some(id)) => Ok(Self(id)),
            _ => Err(ValueTypeErr),
        }
    }

    fn type_name() -> String {
        "Id".to_owned()
    }

    fn array_type() -> ArrayType {
        ArrayType::String
    }

    fn column_type() -> ColumnType {
        ColumnType::Enum { name: "uuid".into_iden(), variants: Vec::new() }
    }
}

impl Nullable for Id {
    fn null() -> Value {
        Value::String(None)
    }
}

impl TryFromU64 for Id {
    fn try_from_u64(_: u64) -> Result<Self, DbErr> {
        Err(DbErr::ConvertFromU64("Id"))
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::{DbBackend, EntityTrait, QueryTrait};

    use super::Id;

    mod table {
        use sea_orm::entity::prelude::*;

        use super::super::Id;

        #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
        #[sea_orm(table_name = "table")]
        pub struct Model {
            #[sea_orm(primary_key, auto_increment = false)]
            pub id: Id,
        }

        #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
        pub enum Relation {}

        impl ActiveModelBehavior for ActiveModel {}
    }

    fn select(backend: DbBackend) -> String {
        let id = Id("00000000-0000-4000-8000-000000000001".parse().unwrap());
        table::Entity::find_by_id(id).build(backend).to_string()
    }

    #[test]
    fn postgres_ids_are_cast_to_and_from_text() {
        let sql = select(DbBackend::Postgres);
        assert!(sql.starts_with(r#"SELECT CAST("table"."id" AS "text") "#), "{sql}");
        assert!(sql.ends_with(r#"= (CAST('00000000-0000-4000-8000-000000000001' AS "uuid"))"#), "{sql}");
    }

    #[test]
    fn sqlite_ids_are_plain_text() {
        let sql = select(DbBackend::Sqlite);
        assert!(sql.starts_with(r#"SELECT "table"."id" "#), "{sql}");
        assert!(sql.ends_with("= ('00000000-0000-4000-8000-000000000001')"), "{sql}");
    }
}
