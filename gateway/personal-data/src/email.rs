//! E-mail addresses.
//!
//! The address is kept as written but for its domain; two addresses are the same if they are so in lower case.
//! Mailboxes are ASCII. Dots may stand anywhere in them: Japanese carriers gave out such addresses.

use serde::{Deserialize, Serialize};
use unicode_normalization::char::is_combining_mark;

use crate::field::{Fault, Field, FieldError, text_field};
use crate::fold::{nfkc, trim};

/// An e-mail address. `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email {
    mailbox: String,
    domain: String,
}

/// RFC 5321: a path of 256 octets holds two angle brackets.
const BYTES_MAX: usize = 254;
const MAILBOX_BYTES_MAX: usize = 64;
const LABEL_BYTES_MAX: usize = 63;

impl Email {
    /// Reads an address; full-width characters become ASCII, the domain lower case.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        read(text).map_err(|fault| FieldError::new(Field::Email, fault))
    }

    /// The address to send to, with the mailbox as its owner writes it.
    pub fn to_text(&self) -> String {
        format!("{}@{}", self.mailbox, self.domain)
    }

    /// The form in which two addresses are compared and searched.
    pub fn compared(&self) -> String {
        format!("{}@{}", self.mailbox.to_ascii_lowercase(), self.domain)
    }

    /// The address as its owner may see it where others might look on: `t***@example.jp`.
    pub fn masked(&self) -> String {
        let mut mailbox = self.mailbox.chars();
        // Of a single letter nothing would be left to hide.
        let first = mailbox.next().filter(|_| mailbox.next().is_some());
        let first = first.map(String::from).unwrap_or_default();
        format!("{first}***@{}", self.domain)
    }
}

text_field!(Email);

fn read(text: &str) -> Result<Email, Fault> {
    let text = trim(text);
    if text.is_empty() {
        return Err(Fault::Empty);
    }
    let too_long = Fault::TooLong {
        chars_max: BYTES_MAX,
    };
    if text.chars().count() > BYTES_MAX {
        return Err(too_long);
    }
    let address = nfkc(text);
    let (mailbox, domain) = address.rsplit_once('@').ok_or(Fault::NotAnAddress)?;
    if mailbox.is_empty() || mailbox.len() > MAILBOX_BYTES_MAX {
        return Err(Fault::NotAnAddress);
    }
    if !mailbox.chars().all(is_mailbox_char) {
        return Err(Fault::UnexpectedCharacter);
    }
    let domain = lower_case_domain(domain);
    check_domain(&domain)?;
    let length = mailbox.len().saturating_add(domain.len()).saturating_add(1);
    if length > BYTES_MAX {
        return Err(too_long);
    }
    Ok(Email {
        mailbox: mailbox.to_owned(),
        domain,
    })
}

/// `atext` of RFC 5322, and the dot.
fn is_mailbox_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c)
}

/// A Japanese keyboard's full stop is a dot in a domain (RFC 3490). Composed again: lower case may decompose.
fn lower_case_domain(domain: &str) -> String {
    nfkc(&domain.replace('\u{3002}', ".").to_lowercase())
}

/// Labels of letters, digits and inner hyphens, at least two of them.
fn check_domain(domain: &str) -> Result<(), Fault> {
    for label in domain.split('.') {
        if !label
            .chars()
            .all(|c| c.is_alphanumeric() || is_combining_mark(c) || c == '-')
        {
            return Err(Fault::UnexpectedCharacter);
        }
        if label.is_empty()
            || label.len() > LABEL_BYTES_MAX
            || label.starts_with('-')
            || label.ends_with('-')
        {
            return Err(Fault::NotAnAddress);
        }
    }
    match domain.rsplit_once('.') {
        // An address of digits alone is a number of the network, not a domain.
        Some((_, top)) if !top.chars().all(|c| c.is_ascii_digit()) => Ok(()),
        _ => Err(Fault::NotAnAddress),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_one_form_to_send_to_and_one_to_compare() {
        for (written, sent, compared) in [
            ("taro@example.jp", "taro@example.jp", "taro@example.jp"),
            (" Taro@Example.JP\n", "Taro@example.jp", "taro@example.jp"),
            (
                "\u{3000}ｔａｒｏ＠ｅｘａｍｐｌｅ．ｊｐ",
                "taro@example.jp",
                "taro@example.jp",
            ),
            ("taro＠example。jp", "taro@example.jp", "taro@example.jp"),
            (
                "taro@example.jp\u{200b}",
                "taro@example.jp",
                "taro@example.jp",
            ),
            (
                ".ta..ro.@docomo.ne.jp",
                ".ta..ro.@docomo.ne.jp",
                ".ta..ro.@docomo.ne.jp",
            ),
            ("a+b/c=d@x-1.co", "a+b/c=d@x-1.co", "a+b/c=d@x-1.co"),
            ("taro@日本語.jp", "taro@日本語.jp", "taro@日本語.jp"),
            ("taro@ｻﾝﾌﾟﾙ.jp", "taro@サンプル.jp", "taro@サンプル.jp"),
            ("taro@サーバー.jp", "taro@サーバー.jp", "taro@サーバー.jp"),
            ("taro@BÜCHER.de", "taro@bücher.de", "taro@bücher.de"),
            (
                "taro@xn--wgv71a.jp",
                "taro@xn--wgv71a.jp",
                "taro@xn--wgv71a.jp",
            ),
        ] {
            let email = Email::parse(written).unwrap();
            assert_eq!(email.to_text(), sent, "{written}");
            assert_eq!(email.compared(), compared, "{written}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long_mailbox = format!("{}@example.jp", "a".repeat(65));
        let long_label = format!("a@{}.jp", "a".repeat(64));
        let long = format!("a@{}jp", "aaaa.".repeat(51));
        for (written, fault) in [
            (" ", Fault::Empty),
            ("taro", Fault::NotAnAddress),
            ("@example.jp", Fault::NotAnAddress),
            ("taro@", Fault::NotAnAddress),
            ("taro@example", Fault::NotAnAddress),
            ("taro@example..jp", Fault::NotAnAddress),
            ("taro@.jp", Fault::NotAnAddress),
            ("taro@example.jp.", Fault::NotAnAddress),
            ("taro@-a.jp", Fault::NotAnAddress),
            ("taro@a-.jp", Fault::NotAnAddress),
            ("taro@192.0.2.1", Fault::NotAnAddress),
            ("ta@ro@example.jp", Fault::UnexpectedCharacter),
            ("ta ro@example.jp", Fault::UnexpectedCharacter),
            ("taro@exa mple.jp", Fault::UnexpectedCharacter),
            ("taro@exa\u{200b}mple.jp", Fault::UnexpectedCharacter),
            ("太郎@example.jp", Fault::UnexpectedCharacter),
            ("taro@example.jp,b@example.jp", Fault::UnexpectedCharacter),
            ("<taro@example.jp>", Fault::UnexpectedCharacter),
            ("a\r\nBcc:b@example.jp", Fault::UnexpectedCharacter),
            (&long_mailbox, Fault::NotAnAddress),
            (&long_label, Fault::NotAnAddress),
            (&long, Fault::TooLong { chars_max: 254 }),
        ] {
            assert_eq!(Email::parse(written).unwrap_err().fault, fault, "{written}");
        }
    }

    #[test]
    fn a_mask_leaves_the_first_letter_of_several() {
        for (written, masked) in [
            ("Taro@Example.jp", "T***@example.jp"),
            ("ta@example.jp", "t***@example.jp"),
            ("t@example.jp", "***@example.jp"),
        ] {
            assert_eq!(Email::parse(written).unwrap().masked(), masked);
        }
    }
}
