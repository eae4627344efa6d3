//! Values of result rows: PostgreSQL's timestamps and UUIDs in binary form, everything else as text.
//!
//! If PostgreSQL formatted timestamps and UUIDs as text, and this program parsed them again, that would take longer
//! than everything else about a page.

use std::fmt;

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use sea_orm::sqlx::error::BoxDynError;
use sea_orm::sqlx::postgres::PgRow;
use sea_orm::sqlx::{ColumnIndex, Decode, Postgres, Row as _, ValueRef as _};
use sea_orm::{ColIdx, DbErr, QueryResult};
use serde::{Deserialize, Serialize, Serializer};
use uuid::Uuid;

use crate::error::Error;

/// A non-null value of a result row.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(from = "String")]
pub enum SqlValue {
    /// A text, or another value cast to text.
    Text(String),
    /// A UUID of PostgreSQL.
    Uuid(Uuid),
    /// A timestamp of PostgreSQL.
    Timestamp(PgTimestamp),
}

/// A PostgreSQL timestamp, in microseconds since the beginning of 2000.
///
/// The driver's own types cannot represent infinity, nor years outside chrono's range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PgTimestamp(i64);

/// A day in microseconds.
const DAY: i64 = 24 * 60 * 60 * 1_000_000;
/// The years and days after which the Gregorian calendar repeats.
const CALENDAR_CYCLE: (i64, i64) = (400, 146_097);

/// The OIDs of the built-in types that results contain; they are the same in every database.
mod type_oid {
    pub const TEXT: u32 = 25;
    pub const TIMESTAMPTZ: u32 = 1_184;
    pub const UUID: u32 = 2_950;
}

impl SqlValue {
    /// Reads a column by its name or index; none if it is null.
    ///
    /// # Errors
    /// [`Error::Database`] if the row has no such column, or one of a type that should have been cast to text.
    pub fn from_row<I>(row: &QueryResult, column: I) -> Result<Option<Self>, Error>
    where
        I: ColIdx + ColumnIndex<PgRow>,
    {
        match row.try_as_pg_row() {
            Some(row) => Ok(decode(row, column).map_err(|error| DbErr::Type(error.to_string()))?),
            None => Ok(row.try_get_by::<Option<String>, I>(column)?.map(Self::Text)),
        }
    }

    /// Reads the first `N` columns of a row.
    ///
    /// # Errors
    /// Returns the errors of [`SqlValue::from_row`].
    pub fn first_n<const N: usize>(row: &QueryResult) -> Result<[Option<Self>; N], Error> {
        let mut values = [const { None }; N];
        for (column, value) in values.iter_mut().enumerate() {
            *value = Self::from_row(row, column)?;
        }
        Ok(values)
    }

    /// Returns the value as text.
    #[must_use]
    pub fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            other => other.to_string(),
        }
    }

    /// Returns the value as a UUID; none if it is not one.
    #[must_use]
    pub fn uuid(&self) -> Option<Uuid> {
        match self {
            Self::Uuid(id) => Some(*id),
            Self::Text(text) => text.parse().ok(),
            Self::Timestamp(_) => None,
        }
    }

    /// Returns the value as a time; none if it is not one, is infinite, or cannot be written in RFC 3339.
    #[must_use]
    pub fn timestamp(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Timestamp(moment) => moment.utc(),
            Self::Text(text) => parse_time(text),
            Self::Uuid(_) => None,
        }
    }
}

/// Decodes a column of a PostgreSQL row; none if it is null.
fn decode(row: &PgRow, column: impl ColumnIndex<PgRow>) -> Result<Option<SqlValue>, BoxDynError> {
    let value = row.try_get_raw(column)?;
    if value.is_null() {
        return Ok(None);
    }
    let type_oid = value.type_info().oid().map(|oid| oid.0);
    Ok(Some(match type_oid {
        Some(type_oid::TEXT) => SqlValue::Text(<String as Decode<Postgres>>::decode(value)?),
        Some(type_oid::UUID) => SqlValue::Uuid(<Uuid as Decode<Postgres>>::decode(value)?),
        Some(type_oid::TIMESTAMPTZ) => SqlValue::Timestamp(PgTimestamp(<i64 as Decode<Postgres>>::decode(value)?)),
        _ => return Err(format!("a column of type {} was not cast to text", value.type_info()).into()),
    }))
}

impl fmt::Display for SqlValue {
    /// Writes the value as the database reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Uuid(id) => id.fmt(f),
            Self::Timestamp(moment) => moment.fmt(f),
        }
    }
}

impl From<String> for SqlValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl Serialize for SqlValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl PgTimestamp {
    /// Returns the time; none for infinity, and for years outside 1 to 9999.
    fn utc(self) -> Option<DateTime<Utc>> {
        let begin = NaiveDate::from_ymd_opt(2000, 1, 1)?.and_hms_opt(0, 0, 0)?.and_utc();
        let moment = begin.checked_add_signed(TimeDelta::microseconds(self.0))?;
        (1..=9_999).contains(&moment.year()).then_some(moment)
    }
}

impl fmt::Display for PgTimestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            i64::MAX => return f.write_str("infinity"),
            i64::MIN => return f.write_str("-infinity"),
            _ => {}
        }
        let (days, time) = (self.0.div_euclid(DAY), self.0.rem_euclid(DAY));
        let (cycles, days) = (days.div_euclid(CALENDAR_CYCLE.1), days.rem_euclid(CALENDAR_CYCLE.1));
        let within = TimeDelta::days(days) + TimeDelta::microseconds(time);
        let moment = NaiveDate::from_ymd_opt(2000, 1, 1).ok_or(fmt::Error)?.and_time(chrono::NaiveTime::MIN) + within;
        let year = i64::from(moment.year()) + cycles * CALENDAR_CYCLE.0;
        // Year 0 is 1 BC.
        let (year, era) = if year > 0 { (year, "") } else { (1 - year, " BC") };
        write!(f, "{year:04}-{}+00{era}", moment.format("%m-%d %H:%M:%S%.6f"))
    }
}

/// Parses a time in the formats that hosts use. Without a zone it is in UTC.
fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    let zoned =
        DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%#z"));
    zoned.map(|moment| moment.to_utc()).ok().or_else(|| {
        let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f")
            .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f"));
        local.map(|moment| moment.and_utc()).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::PgTimestamp;

    #[test]
    fn a_moment_is_written_as_postgresql_reads_it() {
        for (microseconds, text) in [
            (0, "2000-01-01 00:00:00.000000+00"),
            (820_540_800_000_001, "2026-01-01 00:00:00.000001+00"),
            (-1, "1999-12-31 23:59:59.999999+00"),
            (-63_113_904_000_000_000, "0001-01-01 00:00:00.000000+00 BC"),
            (9_223_371_331_199_999_999, "294276-12-31 23:59:59.999999+00"),
            (-211_810_204_800_000_000, "4713-01-01 00:00:00.000000+00 BC"),
            (i64::MAX, "infinity"),
            (i64::MIN, "-infinity"),
        ] {
            assert_eq!(PgTimestamp(microseconds).to_string(), text);
        }
    }
}
