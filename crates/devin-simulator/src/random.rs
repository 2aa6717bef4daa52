//! Chance that is the same on every machine and in every release.

/// A SplitMix64 generator (Steele, Lea and Flood, 2014). Own code, because the
/// invented bytes must not change when a dependency does.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// One of many streams of a seed: what is drawn for one session does not
    /// depend on how much was drawn for another.
    pub fn stream(seed: u64, number: u64) -> Self {
        let mut outer = Self(seed);
        let start = outer.next() ^ number.wrapping_mul(0xD134_2543_DE82_EF95);
        Self(Self(start).next())
    }

    /// One of many streams of a text, which depends on nothing else.
    pub fn keyed(text: &str, number: u64) -> Self {
        // FNV-1a: the same on every machine and in every release.
        let hash = text.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
        });
        Self::stream(hash, number)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform in `[0, 1)`.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Uniform in `0..end`; 0 where `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        ((self.unit() * end as f64) as usize).min(end.saturating_sub(1))
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// One of the items, all alike; the default of an empty list.
    pub fn pick<T: Copy + Default>(&mut self, items: &[T]) -> T {
        let index = self.below(items.len());
        items.get(index).copied().unwrap_or_default()
    }

    /// One of the items by weight; the default of an empty list.
    pub fn weighted<T: Copy + Default>(&mut self, items: &[(u32, T)]) -> T {
        let total: u32 = items.iter().map(|(weight, _)| weight).sum();
        let mut rest = self.below(total as usize) as u32;
        for (weight, item) in items {
            if rest < *weight {
                return *item;
            }
            rest -= weight;
        }
        T::default()
    }

    /// An index by cumulative weights, in logarithmic time.
    pub fn cumulative(&mut self, sums: &[f64]) -> usize {
        let point = self.unit() * sums.last().copied().unwrap_or_default();
        sums.partition_point(|sum| *sum <= point).min(sums.len().saturating_sub(1))
    }

    /// About standard normal: the sum of twelve uniform numbers, less six.
    pub fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }

    /// About log-normal, with this median and this deviation of the logarithm.
    ///
    /// `f64::exp` may differ in its last digit between platforms; ten squarings
    /// of `1 + x/1024` do not.
    pub fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        let power = (1.0 + sigma * self.normal() / 1024.0).max(0.0);
        median * (0..10).fold(power, |power, _| power * power)
    }

    /// Hexadecimal digits in lower case, at most 32.
    pub fn hex(&mut self, digits: usize) -> String {
        let mut text = format!("{:016x}{:016x}", self.next(), self.next());
        text.truncate(digits);
        text
    }
}

/// Running sums of weights, for [`Random::cumulative`].
pub fn running_sums(weights: impl Iterator<Item = f64>) -> Vec<f64> {
    weights
        .scan(0.0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_published_generator() {
        // The reference implementation's first numbers for seed 1234567.
        let mut random = Random(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn shapes_are_as_named() {
        let mut random = Random::stream(1, 1);
        let mut draws: Vec<f64> = (0..10_001).map(|_| random.log_normal(2.0, 1.0)).collect();
        draws.sort_by(f64::total_cmp);
        assert!((1.9..2.1).contains(&draws[5_000]), "median {}", draws[5_000]);
        assert!((6.3..8.2).contains(&draws[9_000]), "90th percentile {}", draws[9_000]);

        let sums = running_sums([1.0, 0.0, 3.0].into_iter());
        let hits = (0..4_000).filter(|_| random.cumulative(&sums) == 2).count();
        assert!((2_850..3_150).contains(&hits), "{hits}");
        assert!((0..4_000).all(|_| random.cumulative(&sums) != 1));
        assert!((0..1_000).all(|_| random.below(3) < 3));
    }

    #[test]
    fn an_empty_choice_is_no_panic() {
        let mut random = Random::stream(1, 1);
        assert_eq!(random.pick::<&str>(&[]), "");
        assert_eq!(random.weighted::<&str>(&[]), "");
        assert_eq!(random.cumulative(&[]), 0);
    }
}
