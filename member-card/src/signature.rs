//! A signature as aws-lc wants it.
//!
//! The card carries r‖s; aws-lc verifies ASN.1 DER. aws-lc-rs can convert, through four heap
//! allocations and two big numbers; writing the DER here, on the stack, costs some twenty
//! nanoseconds. Leading zero bytes are the only subtlety: DER integers are minimal and signed.

/// The longest DER form of a P-256 signature: two 33-byte integers, three headers.
const DER_BYTES_MAX: usize = 2 + 2 * (2 + 33);

/// An ECDSA-P256 signature in ASN.1 DER.
pub(crate) struct DerSignature {
    buffer: [u8; DER_BYTES_MAX],
    length: usize,
}

impl DerSignature {
    /// The DER form of r‖s. Any 64 bytes have one; whether r and s are in range is the verifier's affair.
    pub(crate) fn new(fixed: &[u8; 64]) -> Self {
        let mut der = Self {
            buffer: [0; DER_BYTES_MAX],
            length: 2,
        };
        let (r, s) = fixed.split_at(32);
        der.push_integer(r);
        der.push_integer(s);
        let [content_length, ..] = (der.length - 2).to_le_bytes();
        der.buffer[0] = 0x30;
        der.buffer[1] = content_length;
        der
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.buffer[..self.length]
    }

    fn push_integer(&mut self, bytes: &[u8]) {
        let zeros = bytes
            .iter()
            .take(bytes.len() - 1)
            .take_while(|byte| **byte == 0)
            .count();
        let minimal = &bytes[zeros..];
        let sign = usize::from(minimal[0] >= 0x80);
        let [integer_length, ..] = (minimal.len() + sign).to_le_bytes();
        let start = self.length;
        self.buffer[start] = 0x02;
        self.buffer[start + 1] = integer_length;
        // The sign byte is zero already.
        let digits_start = start + 2 + sign;
        self.buffer[digits_start..][..minimal.len()].copy_from_slice(minimal);
        self.length = digits_start + minimal.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use p256::ecdsa::Signature;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn der_is_what_the_reference_writes(mut r: [u8; 32], mut s: [u8; 32], r_zeros in 0usize..32, s_zeros in 0usize..32) {
            r[..r_zeros].fill(0);
            s[..s_zeros].fill(0);
            let fixed: [u8; 64] = [r, s].concat().try_into().unwrap();
            let Ok(reference) = Signature::from_slice(&fixed) else { return Ok(()); };
            let (written, reference) = (DerSignature::new(&fixed), reference.to_der());
            prop_assert_eq!(written.as_slice(), reference.as_bytes());
        }
    }

    #[test]
    fn zero_and_the_largest_number_have_a_form() {
        assert_eq!(
            DerSignature::new(&[0; 64]).as_slice(),
            [0x30, 6, 2, 1, 0, 2, 1, 0]
        );
        assert_eq!(
            DerSignature::new(&[0xFF; 64]).as_slice().len(),
            DER_BYTES_MAX
        );
    }
}
