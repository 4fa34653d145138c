//! A sum split among weights by the largest remainder: the parts add up exactly.

/// Splits `sum`, zero or more, in proportion to the weights, none of which is negative.
///
/// Each part is rounded down; what is left goes one by one to the parts with the largest remainders, the
/// earlier first. Weights that add up to `sum` already come back unchanged. If all weigh nothing, all weigh
/// the same. The parts are as many as the weights.
pub(crate) fn apportion(sum: i64, weights: &[i128]) -> Vec<i64> {
    let all: i128 = weights.iter().sum();
    let even = vec![1; weights.len()];
    let (weights, all) = if all == 0 {
        (even.as_slice(), i128::try_from(weights.len()).unwrap_or(1))
    } else {
        (weights, all)
    };
    if weights.is_empty() {
        return Vec::new();
    }
    let exact = |weight: &i128| i128::from(sum) * weight;
    let mut parts: Vec<i128> = weights.iter().map(|weight| exact(weight) / all).collect();
    let left = i128::from(sum) - parts.iter().sum::<i128>();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    // Stable: of equal remainders the earlier part comes first.
    order.sort_by_key(|at| -(exact(&weights[*at]) % all));
    // Fewer than one for each part is left, for each lost less than one by rounding.
    for at in order
        .into_iter()
        .take(usize::try_from(left).unwrap_or_default())
    {
        parts[at] += 1;
    }
    // A part is at most `sum`.
    parts
        .into_iter()
        .map(|part| i64::try_from(part).unwrap_or_default())
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::apportion;

    #[test]
    fn parts_by_largest_remainder() {
        for (sum, weights, parts) in [
            (3000, vec![1000, 2000], vec![1000, 2000]),
            (2900, vec![1000, 2000], vec![967, 1933]),
            (100, vec![1, 1, 1], vec![34, 33, 33]),
            (5, vec![0, 0], vec![3, 2]),
            (7, vec![0, 9], vec![0, 7]),
            (0, vec![5, 5], vec![0, 0]),
            (5, vec![], vec![]),
        ] {
            assert_eq!(apportion(sum, &weights), parts, "{sum} {weights:?}");
        }
    }

    proptest! {
        #[test]
        fn parts_add_up_and_are_fair(sum in 0..=1_000_000_000_000_i64, weights in vec(0..=1_000_000_000_000_000_000_i128, 1..40)) {
            let parts = apportion(sum, &weights);
            prop_assert_eq!(parts.iter().sum::<i64>(), sum);
            let all: i128 = weights.iter().sum();
            for (part, weight) in parts.iter().zip(&weights) {
                let fair = if all == 0 { continue } else { i128::from(sum) * weight / all };
                prop_assert!((fair..=fair + 1).contains(&i128::from(*part)));
            }
        }
    }
}
