//! Rows: how a record becomes columns and columns a record.
//!
//! A record says once how it is written ([`Row`]) and once how it is read ([`FromRow`]), column by
//! column in the order of its table. What one value looks like follows from its type ([`Cell`]), so
//! that neither database is named.

use serde::{Serialize, de::DeserializeOwned};
use sqlx::{Row as _, postgres::PgRow, sqlite::SqliteRow};

use super::{
    StoreError,
    sql::{Cells, Kind, Value},
    table::Table,
};

/// A value that fits one column.
pub(crate) trait Cell: Sized {
    /// The column it fits.
    const KIND: Kind;
    /// What is stored for it.
    fn to_value(&self) -> Value<'_>;
    /// The value a stored one stands for; `None` if it stands for nothing.
    fn from_value(value: Value<'_>) -> Option<Self>;
}

impl<T: Cell> Cell for Option<T> {
    const KIND: Kind = T::KIND;

    fn to_value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, T::to_value)
    }

    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            value => T::from_value(value).map(Some),
        }
    }
}

/// A record that can be written to its table.
pub(crate) trait Row {
    /// Its table.
    fn table() -> &'static Table;
    /// Puts every column, in the table's order.
    fn write<'a>(&'a self, row: &mut Rows<'a>);
}

/// A record that can be read.
pub(crate) trait FromRow: Sized {
    /// Takes every column, in the order they were selected.
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError>;
}

/// Rows on their way into one table, as columns.
#[derive(Debug)]
pub(crate) struct Rows<'a> {
    table: &'static Table,
    /// `None` where a column is left out.
    columns: Vec<Option<Cells<'a>>>,
    at: usize,
    misfit: bool,
}

impl<'a> Rows<'a> {
    /// Whole rows.
    pub(crate) fn whole<R: Row + 'a>(
        rows: impl IntoIterator<Item = &'a R>,
    ) -> Result<Vec<Cells<'a>>, StoreError> {
        let taken: Vec<_> = R::table().columns().map(|column| (column, true)).collect();
        Self::collect(rows, taken)
    }

    /// Only what an update takes.
    pub(crate) fn changed<R: Row + 'a>(
        rows: impl IntoIterator<Item = &'a R>,
    ) -> Result<Vec<Cells<'a>>, StoreError> {
        Self::collect(rows, R::table().updated().collect())
    }

    /// Only the keys.
    pub(crate) fn keys<R: Row + 'a>(
        rows: impl IntoIterator<Item = &'a R>,
    ) -> Result<Vec<Cells<'a>>, StoreError> {
        let keys = R::table().key_columns();
        let taken = R::table().columns().enumerate();
        Self::collect(
            rows,
            taken.map(|(at, column)| (column, at < keys)).collect(),
        )
    }

    fn collect<R: Row + 'a>(
        rows: impl IntoIterator<Item = &'a R>,
        taken: Vec<(&'static super::table::Column, bool)>,
    ) -> Result<Vec<Cells<'a>>, StoreError> {
        let rows = rows.into_iter();
        let expected = rows.size_hint().0;
        let columns = taken
            .into_iter()
            .map(|(column, taken)| taken.then(|| Cells::new(column.kind, expected)));
        let mut collected = Self {
            table: R::table(),
            columns: columns.collect(),
            at: 0,
            misfit: false,
        };
        for row in rows {
            collected.at = 0;
            row.write(&mut collected);
            collected.misfit |= collected.at != collected.columns.len();
        }
        if collected.misfit {
            let table = collected.table.name;
            return Err(StoreError::Rejected(format!(
                "a record does not fit the columns of {table}"
            )));
        }
        Ok(collected.columns.into_iter().flatten().collect())
    }

    fn put_with(&mut self, value: impl FnOnce() -> Value<'a>) {
        match self.columns.get_mut(self.at) {
            Some(Some(cells)) => self.misfit |= !cells.push(value()),
            Some(None) => {}
            None => self.misfit = true,
        }
        self.at += 1;
    }

    /// Puts the next column.
    pub(crate) fn put<C: Cell>(&mut self, value: &'a C) {
        self.put_with(|| value.to_value());
    }

    /// Puts a value made for the occasion into the next column.
    pub(crate) fn put_value(&mut self, value: Value<'a>) {
        self.put_with(|| value);
    }

    /// Puts a structure as JSON into the next column.
    pub(crate) fn put_json<T: Serialize>(&mut self, value: &T) {
        let mut misfit = false;
        self.put_with(|| match serde_json::to_string(value) {
            Ok(json) => Value::Text(json.into()),
            Err(_) => {
                misfit = true;
                Value::Null
            }
        });
        self.misfit |= misfit;
    }
}

/// A column of keys to look up.
pub(crate) fn cells<'a, C: Cell + 'a>(values: impl IntoIterator<Item = &'a C>) -> Cells<'a> {
    let values = values.into_iter();
    let mut cells = Cells::new(C::KIND, values.size_hint().0);
    for value in values {
        let fits = cells.push(value.to_value());
        debug_assert!(fits, "a cell's value is of the cell's kind");
    }
    cells
}

/// A row of one of the databases.
pub(crate) trait Source {
    /// The value of a column.
    fn value(&self, at: usize, kind: Kind) -> Result<Value<'_>, sqlx::Error>;
}

macro_rules! source {
    ($row:ty) => {
        impl Source for $row {
            fn value(&self, at: usize, kind: Kind) -> Result<Value<'_>, sqlx::Error> {
                Ok(match kind {
                    Kind::Uuid => self.try_get::<Option<uuid::Uuid>, _>(at)?.map(Value::Uuid),
                    Kind::Text => self
                        .try_get::<Option<&str>, _>(at)?
                        .map(|text| Value::Text(text.into())),
                    Kind::Int => self.try_get::<Option<i64>, _>(at)?.map(Value::Int),
                    Kind::Bytes => self.try_get::<Option<&[u8]>, _>(at)?.map(Value::Bytes),
                    Kind::Bool => self.try_get::<Option<bool>, _>(at)?.map(Value::Bool),
                }
                .unwrap_or(Value::Null))
            }
        }
    };
}
source!(PgRow);
source!(SqliteRow);

/// Takes a row's columns one after the other.
pub(crate) struct Reader<'r> {
    row: &'r dyn Source,
    at: usize,
    /// Where each column is, if not one after the other.
    places: Option<&'r [usize]>,
}

impl<'r> Reader<'r> {
    /// From the first column on.
    pub(crate) fn new(row: &'r dyn Source) -> Self {
        Self {
            row,
            at: 0,
            places: None,
        }
    }

    /// The columns at these places of the row.
    pub(crate) fn at_places(row: &'r dyn Source, places: &'r [usize]) -> Self {
        Self {
            row,
            at: 0,
            places: Some(places),
        }
    }

    fn next_place(&mut self) -> usize {
        let at = self.at;
        self.at += 1;
        self.places
            .and_then(|places| places.get(at).copied())
            .unwrap_or(at)
    }

    /// Takes the next column.
    pub(crate) fn get<C: Cell>(&mut self) -> Result<C, StoreError> {
        let at = self.next_place();
        let value = self.row.value(at, C::KIND).map_err(StoreError::from_sqlx)?;
        C::from_value(value).ok_or_else(|| {
            let wanted = std::any::type_name::<C>();
            StoreError::Corrupt(format!("column {at} holds no {wanted}"))
        })
    }

    /// Takes the next column, a structure as JSON.
    pub(crate) fn get_json<T: DeserializeOwned>(&mut self) -> Result<T, StoreError> {
        let at = self.at;
        let json: String = self.get()?;
        serde_json::from_str(&json).map_err(|error| {
            let wanted = std::any::type_name::<T>();
            StoreError::Corrupt(format!("column {at} holds no {wanted}: {error}"))
        })
    }

    /// Takes the next column, a structure as JSON; the default where there is none.
    pub(crate) fn get_json_or_default<T: DeserializeOwned + Default>(
        &mut self,
    ) -> Result<T, StoreError> {
        let at = self.at;
        let json: Option<String> = self.get()?;
        json.map_or_else(
            || Ok(T::default()),
            |json| {
                serde_json::from_str(&json).map_err(|error| {
                    let wanted = std::any::type_name::<T>();
                    StoreError::Corrupt(format!("column {at} holds no {wanted}: {error}"))
                })
            },
        )
    }

    /// The same row from its first column on.
    pub(crate) fn again(&self) -> Self {
        Self {
            row: self.row,
            at: 0,
            places: self.places,
        }
    }

    /// What the next column holds, as a text for people; empty if it is not of this kind.
    pub(crate) fn show(&mut self, kind: Kind) -> String {
        let at = self.next_place();
        match self.row.value(at, kind) {
            Ok(Value::Uuid(uuid)) => uuid.to_string(),
            Ok(Value::Text(text)) => text.into_owned(),
            Ok(Value::Int(number)) => number.to_string(),
            _ => String::new(),
        }
    }

    /// Leaves out the next column.
    pub(crate) fn skip(&mut self) {
        self.at += 1;
    }
}
