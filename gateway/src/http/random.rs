//! Random numbers for what the edge makes up: member numbers and short codes.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};

use super::problem::Problem;

/// A number below `bound`, every one equally likely.
///
/// # Errors
/// A fault if the system has no randomness.
pub(super) fn below(bound: u64) -> Result<u64, Problem> {
    let random = SystemRandom::new();
    // The largest multiple of `bound`: above it lie the numbers that would make some likelier.
    let even = u64::MAX - u64::MAX % bound.max(1);
    loop {
        let mut bytes = [0; 8];
        random
            .fill(&mut bytes)
            .map_err(|_| Problem::fault("the operating system gave no randomness"))?;
        let number = u64::from_be_bytes(bytes);
        if number < even {
            return Ok(number % bound.max(1));
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_number_stays_below_its_bound() {
        for bound in [1, 2, 10, 10_000_000_000_000_000] {
            for _ in 0..100 {
                assert!(super::below(bound).unwrap() < bound);
            }
        }
    }
}
