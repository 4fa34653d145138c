//! The EC platforms whose own messages are understood.

use std::{fmt, str::FromStr};

/// An EC platform whose own messages are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Platform {
    /// Shopify: webhooks carry the whole order.
    Shopify,
    /// WooCommerce 3.5 and later: webhooks carry the order as the REST API v3 shows it.
    WooCommerce,
    /// EC-CUBE 4 with its Web API plugin: webhooks carry ids, orders are fetched by GraphQL.
    EcCube4,
}

/// A word that names no known platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a platform is one of shopify, woocommerce, ec_cube")]
pub struct UnknownPlatform;

impl Platform {
    /// All platforms.
    pub const ALL: [Self; 3] = [Self::Shopify, Self::WooCommerce, Self::EcCube4];

    /// The word for it in files, rows and commands.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shopify => "shopify",
            Self::WooCommerce => "woocommerce",
            Self::EcCube4 => "ec_cube",
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Platform {
    type Err = UnknownPlatform;

    fn from_str(word: &str) -> Result<Self, UnknownPlatform> {
        let mut all = Self::ALL.into_iter();
        all.find(|platform| platform.as_str() == word)
            .ok_or(UnknownPlatform)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_is_read_as_it_is_written() {
        for platform in Platform::ALL {
            assert_eq!(platform.to_string().parse(), Ok(platform));
        }
        assert_eq!("Shopify".parse::<Platform>(), Err(UnknownPlatform));
    }
}
