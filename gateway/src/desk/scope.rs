//! What points granted by hand may be bound to: stores that there are, and categories as receipts write them.

use std::collections::BTreeSet;

use ledger::lot::Scope;
use pos_protocol::{StoreId, TEXT_CHARS_MAX};

use crate::{
    limits::SCOPE_ENTRIES_MAX,
    store::{Store, StoreError},
};

/// Why points cannot be bound to these.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ScopeError {
    /// The stores.
    #[error("{0}")]
    Stores(String),
    /// The categories.
    #[error("{0}")]
    Categories(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The scope of these stores and categories.
pub(crate) async fn scope(
    store: &Store,
    stores: Vec<StoreId>,
    categories: Vec<String>,
) -> Result<Scope, ScopeError> {
    let many = |count: usize| format!("{count} of them; at most {SCOPE_ENTRIES_MAX}");
    if stores.len() > SCOPE_ENTRIES_MAX {
        return Err(ScopeError::Stores(many(stores.len())));
    }
    if categories.len() > SCOPE_ENTRIES_MAX {
        return Err(ScopeError::Categories(many(categories.len())));
    }
    if let Some(why) = categories.iter().find_map(|text| misread(text)) {
        return Err(ScopeError::Categories(why));
    }
    if !stores.is_empty() {
        let known = store.list_stores().await?.into_iter();
        let known: BTreeSet<_> = known.map(|row| row.id).collect();
        if let Some(unknown) = stores.iter().find(|id| !known.contains(id)) {
            return Err(ScopeError::Stores(format!("there is no store {unknown}")));
        }
    }
    Ok(Scope {
        stores: stores.into_iter().collect(),
        categories: categories.into_iter().collect(),
    })
}

/// Why no line of a receipt has this category.
fn misread(category: &str) -> Option<String> {
    let chars = category.chars().count();
    if category.trim().is_empty() {
        Some("a category says nothing".into())
    } else if chars > TEXT_CHARS_MAX {
        Some(format!(
            "a category of {chars} characters; at most {TEXT_CHARS_MAX}"
        ))
    } else if category.chars().any(char::is_control) {
        Some("a category has a control character".into())
    } else {
        None
    }
}
