//! From what people and shops show to what the ledger finds it by: keyed hashes and labels.
//!
//! Here is the only place that says what is hashed under which label. The hashes are stored, so none of
//! this may change.

use ledger::identity::{Claim, CodeHash, IdentityKey, IdentityKind};
use member_card::CardId;
use personal_data::{Address, Email, IndexKey, LinkCode, OneTimeCode, Phone};
use pos_protocol::{OrderId, ShopId};

/// A card that is a number: its id, the hash it stands for, and its last digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberCard {
    /// First 8 bytes of the hash.
    pub card_id: CardId,
    /// Keyed hash of the number.
    pub key: [u8; 32],
    /// Stars and the last four digits.
    pub label: String,
}

impl NumberCard {
    fn new(key: [u8; 32], number: &str) -> Self {
        Self {
            card_id: CardId::of_number(&key),
            key,
            label: last_digits(number),
        }
    }
}

/// A plastic card by its number, digits only.
#[must_use]
pub fn plastic(index: &IndexKey, number: &str) -> NumberCard {
    NumberCard::new(index.number_key("plastic-card", number), number)
}

/// A wallet pass by its number.
#[must_use]
pub fn wallet(index: &IndexKey, number: &str) -> NumberCard {
    NumberCard::new(index.number_key("wallet-pass", number), number)
}

/// A customer of an EC shop.
#[must_use]
pub fn ec_customer(index: &IndexKey, shop: &ShopId, customer_id: &str) -> Claim {
    let text = format!("{shop}/{customer_id}");
    Claim {
        key: IdentityKey(index.number_key("ec-customer", &text)),
        kind: IdentityKind::EcCustomer,
        issuer: shop.to_string(),
        label: customer_id.to_owned(),
    }
}

/// A guest of an EC shop, by the address in the order, which nobody proved.
#[must_use]
pub fn ec_guest(index: &IndexKey, shop: &ShopId, email: &Email) -> Claim {
    let text = format!("{shop}/{}", email.compared());
    Claim {
        key: IdentityKey(index.number_key("ec-guest", &text)),
        kind: IdentityKind::EcGuest,
        issuer: shop.to_string(),
        label: email.masked(),
    }
}

/// An e-mail address that is to be proved, or was.
#[must_use]
pub fn email(index: &IndexKey, email: &Email) -> Claim {
    Claim {
        key: IdentityKey(index.address_key(Address::Email(email))),
        kind: IdentityKind::Email,
        issuer: String::new(),
        label: email.masked(),
    }
}

/// A phone number that is to be proved, or was.
#[must_use]
pub fn phone(index: &IndexKey, phone: &Phone) -> Claim {
    Claim {
        key: IdentityKey(index.address_key(Address::Phone(phone))),
        kind: IdentityKind::Phone,
        issuer: String::new(),
        label: phone.masked(),
    }
}

/// A subject of an OpenID provider.
#[must_use]
pub fn openid(index: &IndexKey, issuer: &str, subject: &str) -> Claim {
    Claim {
        key: IdentityKey(index.number_key("openid", &format!("{issuer} {subject}"))),
        kind: IdentityKind::OpenId,
        issuer: issuer.to_owned(),
        label: last_digits(subject),
    }
}

/// A code that links whoever enters it, whichever channel shows it and whichever it is entered in.
#[must_use]
pub fn link_code(index: &IndexKey, code: &LinkCode) -> CodeHash {
    code.hash("member-link", index)
}

/// A code that was sent to an address for a card. There are few such codes: the card's id makes them
/// differ.
#[must_use]
pub fn one_time_code(index: &IndexKey, card: CardId, code: &OneTimeCode) -> CodeHash {
    code.hash(&format!("address {card}"), index)
}

/// An order of a shop, as the basket that its points are held and spent for.
#[must_use]
pub fn order_use(index: &IndexKey, shop: &ShopId, order: &OrderId) -> [u8; 32] {
    index.number_key("ec-order", &format!("{shop}/{order}"))
}

/// A plastic card in one basket of one terminal.
#[must_use]
pub fn number_use(index: &IndexKey, card: CardId, terminal: &str, basket: &str) -> [u8; 32] {
    index.number_key("number-use", &format!("{card} {terminal} {basket}"))
}

fn last_digits(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let shown = chars.len().min(4).min(chars.len() / 2);
    let last: String = chars.iter().skip(chars.len() - shown).collect();
    format!("****{last}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_never_change() {
        let index = IndexKey::from_random([7; 32]);
        let shop: ShopId = "main".parse().unwrap();
        let order: OrderId = "1001".parse().unwrap();
        let email_of = Email::parse("Taro@Example.jp").unwrap();
        let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(&bytes[..6]);
        let found = [
            hex(&plastic(&index, "2999000012345").key),
            hex(&wallet(&index, "012345678901").key),
            hex(&ec_customer(&index, &shop, "42").key.0),
            hex(&ec_guest(&index, &shop, &email_of).key.0),
            hex(&email(&index, &email_of).key.0),
            hex(&phone(&index, &Phone::parse("090-1234-5678").unwrap()).key.0),
            hex(&openid(&index, "https://id.example", "s-1").key.0),
            hex(&order_use(&index, &shop, &order)),
            hex(&number_use(&index, CardId::new(1), "till-1", "b1")),
        ];
        let kept = [
            "33d30c7c8a3c",
            "6414e391f709",
            "d1885dc00aa6",
            "51dfb8ea2838",
            "d4f0a6f6a55d",
            "b090ae8a21fa",
            "be3400ad0f30",
            "ead699247b94",
            "3dcf165a3424",
        ];
        assert_eq!(found, kept);
    }

    #[test]
    fn labels_show_little() {
        assert_eq!(last_digits("2999000012345"), "****2345");
        assert_eq!(last_digits("123"), "****3");
        assert_eq!(last_digits(""), "****");
    }
}
