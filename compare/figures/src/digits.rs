//! Numbers as people read them.

/// Writes a number with a comma before each group of three digits: 163431 as `163,431`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::thousands;

    #[test]
    fn a_comma_stands_before_each_three_digits() {
        let written = [0, 12, 999, 1_000, 163_431, 1_000_000].map(thousands);
        assert_eq!(written, ["0", "12", "999", "1,000", "163,431", "1,000,000"]);
    }
}
