//! The rotating password of a wallet card: RFC 6238 with SHA-1, 30 seconds a step, 8 digits.
//!
//! SHA-1 because it is the one algorithm that Google Wallet computes offline; as HMAC it is sound. A code is good during
//! its own step and the two around it, for phones whose clock is off. That makes a code usable for 90 seconds and says
//! nothing about how often: whoever accepts one remembers the step that [`verify`] returns and refuses it elsewhere.
//!
//! Invariant: a secret is a function of the master key, the card number and the card's generation. A new generation
//! makes every code of the old one worthless.

use std::fmt;

use aws_lc_rs::hmac;
use jiff::Timestamp;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::CardNumber;

/// How long one code is shown, in seconds.
pub const STEP_SECONDS: u32 = 30;
/// Digits of a code.
pub const CODE_DIGITS: u8 = 8;

const CODES: u32 = 100_000_000;
/// Keeps a secret from being anything else that is made with the same key.
const PURPOSE: &[u8] = b"wallet-pass.v1";
const SECRET_BYTES: usize = 20;

/// The master key of all wallet cards of a programme. `Debug` hides it.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct PassKey([u8; 32]);

impl PassKey {
    /// The key of these bytes, which must come from a secure random source.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The secret of one card: the first 20 bytes of HMAC-SHA256 over `wallet-pass.v1`, a zero byte, the number, a
    /// zero byte and the generation in 4 bytes, big-endian.
    #[must_use]
    pub fn derive(&self, number: &CardNumber, generation: u32) -> PassSecret {
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &self.0));
        for part in [PURPOSE, &[0], number.as_str().as_bytes(), &[0]] {
            context.update(part);
        }
        context.update(&generation.to_be_bytes());
        let tag = context.sign();
        let mut secret = [0; SECRET_BYTES];
        secret
            .iter_mut()
            .zip(tag.as_ref())
            .for_each(|(to, from)| *to = *from);
        PassSecret(secret)
    }
}

impl fmt::Debug for PassKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PassKey(..)")
    }
}

/// The secret of one card, which its phone holds too. `Debug` hides it.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct PassSecret([u8; SECRET_BYTES]);

impl PassSecret {
    /// Base16, as Google Wallet takes it.
    pub(crate) fn base16(&self) -> Zeroizing<String> {
        Zeroizing::new(data_encoding::HEXLOWER.encode(&self.0))
    }

    /// The code of a step as a number (RFC 4226, section 5.3).
    fn code(&self, step: u32) -> u32 {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.0);
        let tag = hmac::sign(&key, &u64::from(step).to_be_bytes());
        let tag = tag.as_ref();
        let offset = usize::from(tag.last().copied().unwrap_or_default() & 0x0f);
        let word = tag.iter().skip(offset).take(4);
        let word = word.fold(0_u32, |word, byte| (word << 8) | u32::from(*byte));
        (word & 0x7fff_ffff) % CODES
    }
}

impl fmt::Debug for PassSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PassSecret(..)")
    }
}

/// The eight digits that a phone shows at `at`; none before 1970 and after 2106.
#[must_use]
pub fn code(secret: &PassSecret, at: Timestamp) -> Option<String> {
    Some(format!("{:08}", secret.code(step(at)?)))
}

/// When the step began, in Unix seconds, whose code `digits` is: the one of `at`, the one before or the one after.
///
/// All three are computed and compared, whichever matches. Should two have the same code, it is the later one.
#[must_use]
pub fn verify(secret: &PassSecret, digits: &str, at: Timestamp) -> Option<u32> {
    let claimed = parse(digits)?;
    let now = step(at)?;
    let mut matched = Choice::from(0);
    let mut start = 0_u32;
    let window = [now.checked_sub(1), Some(now), now.checked_add(1)];
    for step in window.into_iter().flatten() {
        let Some(step_start) = step.checked_mul(STEP_SECONDS) else {
            continue;
        };
        let equal = secret.code(step).ct_eq(&claimed);
        start.conditional_assign(&step_start, equal);
        matched |= equal;
    }
    bool::from(matched).then_some(start)
}

fn step(at: Timestamp) -> Option<u32> {
    let seconds = u32::try_from(at.as_second()).ok()?;
    Some(seconds / STEP_SECONDS)
}

fn parse(digits: &str) -> Option<u32> {
    let shaped = digits.len() == usize::from(CODE_DIGITS)
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    shaped.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// RFC 6238, appendix B, SHA-1.
    #[test]
    fn codes_are_those_of_the_standard() {
        let secret = PassSecret(*b"12345678901234567890");
        for (second, digits) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
        ] {
            assert_eq!(code(&secret, at(second)).as_deref(), Some(digits));
            let start = u32::try_from(second - second % 30).unwrap();
            assert_eq!(verify(&secret, digits, at(second)), Some(start));
        }
        // The standard's last row, 20000000000 s, lies beyond u32 seconds: nobody's card is read then.
        assert_eq!(code(&secret, at(20_000_000_000)), None);
        assert_eq!(secret.code(666_666_666), 65_353_130);
    }

    #[test]
    fn a_code_is_good_in_its_step_and_the_two_around_it() {
        let secret = PassSecret(*b"12345678901234567890");
        // 14050471 belongs to the step that begins at 1111111110.
        for (second, accepted) in [
            (1_111_111_079, false),
            (1_111_111_080, true),
            (1_111_111_109, true),
            (1_111_111_110, true),
            (1_111_111_139, true),
            (1_111_111_140, true),
            (1_111_111_169, true),
            (1_111_111_170, false),
        ] {
            let expected = accepted.then_some(1_111_111_110);
            assert_eq!(
                verify(&secret, "14050471", at(second)),
                expected,
                "{second}"
            );
        }
    }

    #[test]
    fn the_ends_of_time_are_no_fault() {
        let secret = PassSecret([7; 20]);
        assert_eq!(code(&secret, at(-1)), None);
        assert_eq!(verify(&secret, "00000000", at(-1)), None);
        let first = code(&secret, at(0)).unwrap();
        assert_eq!(verify(&secret, &first, at(0)), Some(0));
        assert_eq!(verify(&secret, &first, at(59)), Some(0));
        assert_eq!(verify(&secret, &first, at(60)), None);
        let last = i64::from(u32::MAX);
        let code = code(&secret, at(last)).unwrap();
        assert_eq!(verify(&secret, &code, at(last)), Some(u32::MAX / 30 * 30));
        assert_eq!(verify(&secret, &code, at(last + 1)), None);
    }

    #[test]
    fn only_eight_ascii_digits_are_a_code() {
        let secret = PassSecret(*b"12345678901234567890");
        for digits in [
            "",
            "4050471",
            "014050471",
            "1405047 ",
            "+4050471",
            "１4050471",
            "1４0504",
        ] {
            assert_eq!(verify(&secret, digits, at(1_111_111_111)), None, "{digits}");
        }
    }

    /// The derivation is a contract: phones keep what it gave.
    #[test]
    fn secrets_are_derived_as_documented() {
        let key = PassKey::new(std::array::from_fn(|i| u8::try_from(i).unwrap()));
        let number = CardNumber::parse("079927398713").unwrap();
        // printf 'wallet-pass.v1\0%s\0\0\0\0\001' 079927398713 | openssl dgst -sha256 -mac HMAC -macopt hexkey:0001…1f
        assert_eq!(
            key.derive(&number, 1).base16().as_str(),
            "79220d2fc4c0675bcc7c8ccaa614f501d9382417"
        );
        assert_ne!(key.derive(&number, 1).0, key.derive(&number, 2).0);
        let other = CardNumber::from_seed(1);
        assert_ne!(key.derive(&number, 1).0, key.derive(&other, 1).0);
    }

    #[test]
    fn keys_do_not_show_in_debug_output() {
        let key = PassKey::new([0xab; 32]);
        let secret = key.derive(&CardNumber::from_seed(1), 1);
        assert_eq!(format!("{key:?} {secret:?}"), "PassKey(..) PassSecret(..)");
    }

    proptest! {
        #[test]
        fn exactly_three_steps_are_accepted(
            secret: [u8; 20], now in 300_u32..4_000_000_000, steps_off in -5_i64..=5,
        ) {
            let secret = PassSecret(secret);
            let now = i64::from(now);
            let shown_at = now + 30 * steps_off;
            let shown = code(&secret, at(shown_at)).unwrap();
            // Two steps may have the same code by chance; what counts is which codes the window holds.
            let window = [30, 0, -30].map(|off| now + off);
            let expected = window
                .into_iter()
                .find(|second| code(&secret, at(*second)).unwrap() == shown)
                .map(|second| u32::try_from(second - second % 30).unwrap());
            prop_assert_eq!(verify(&secret, &shown, at(now)), expected);
            prop_assert!(steps_off.abs() > 1 || expected.is_some());
        }

        #[test]
        fn a_wrong_digit_is_refused(secret: [u8; 20], now in 300_u32..4_000_000_000, other in 1_u32..CODES) {
            let secret = PassSecret(secret);
            let now = i64::from(now);
            let shown: u32 = code(&secret, at(now)).unwrap().parse().unwrap();
            let wrong = format!("{:08}", (shown + other) % CODES);
            let others = [now - 30, now + 30].map(|second| code(&secret, at(second)).unwrap());
            prop_assume!(!others.contains(&wrong));
            prop_assert_eq!(verify(&secret, &wrong, at(now)), None);
        }
    }
}
