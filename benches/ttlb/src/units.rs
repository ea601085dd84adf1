//! Quantities as a person writes them (`80ms`, `20Mbps`, `0.5%`, `64KiB`) and as tables show them.

use anyhow::{Context, Result, bail, ensure};

/// Splits `12.5ms` into 12.5 and `ms`.
fn number_and_unit(text: &str) -> Result<(f64, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..end].parse().with_context(|| format!("no number in `{text}`"))?;
    ensure!(number.is_finite(), "no number in `{text}`");
    Ok((number, text[end..].trim()))
}

/// A duration in nanoseconds: `35ms`, `1.5s`, `200us`.
pub fn duration(text: &str) -> Result<u64> {
    let (number, unit) = number_and_unit(text)?;
    let scale = match unit {
        "us" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        _ => bail!("`{text}` is no duration: give us, ms or s"),
    };
    Ok((number * scale).round() as u64)
}

/// A rate in bits per second, of decimal units: `1Mbps`, `2.5Gbps`, `512kbps`.
pub fn rate(text: &str) -> Result<u64> {
    let (number, unit) = number_and_unit(text)?;
    let scale = match unit {
        "kbps" => 1e3,
        "Mbps" => 1e6,
        "Gbps" => 1e9,
        _ => bail!("`{text}` is no rate: give kbps, Mbps or Gbps"),
    };
    let rate = (number * scale).round() as u64;
    ensure!(rate >= 1000, "a rate of `{text}` would never deliver a packet");
    Ok(rate)
}

/// A share in parts per million: `0.5%`.
pub fn loss(text: &str) -> Result<u32> {
    let (number, unit) = number_and_unit(text)?;
    ensure!(unit == "%", "`{text}` is no loss: give per cent");
    ensure!((0.0..=50.0).contains(&number), "a loss of `{text}` is not from 0% to 50%");
    Ok((number * 1e4).round() as u32)
}

/// A size in bytes: `64KiB`, `1MiB`, `300B`; `KB` of a certificate chain is 1024 bytes, too.
pub fn size(text: &str) -> Result<u32> {
    let (number, unit) = number_and_unit(text)?;
    let scale = match unit {
        "B" => 1.0,
        "KiB" | "KB" => 1024.0,
        "MiB" => 1024.0 * 1024.0,
        _ => bail!("`{text}` is no size: give B, KiB, KB or MiB"),
    };
    let bytes = (number * scale).round();
    ensure!(bytes <= 64.0 * 1024.0 * 1024.0, "`{text}` is more than 64 MiB");
    Ok(bytes as u32)
}

/// The shortest decimal of at most three places.
pub fn decimal(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

pub fn show_duration(nanoseconds: u64) -> String {
    match nanoseconds {
        0..1_000_000 => format!("{}us", decimal(nanoseconds as f64 / 1e3)),
        1_000_000..1_000_000_000 => format!("{}ms", decimal(nanoseconds as f64 / 1e6)),
        _ => format!("{}s", decimal(nanoseconds as f64 / 1e9)),
    }
}

pub fn show_rate(bits: u64) -> String {
    match bits {
        0..1_000_000 => format!("{}kbps", decimal(bits as f64 / 1e3)),
        1_000_000..1_000_000_000 => format!("{}Mbps", decimal(bits as f64 / 1e6)),
        _ => format!("{}Gbps", decimal(bits as f64 / 1e9)),
    }
}

pub fn show_loss(ppm: u32) -> String {
    // Four places: a millionth is a ten-thousandth of a per cent.
    let text = format!("{:.4}", f64::from(ppm) / 1e4);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

pub fn show_size(bytes: u32) -> String {
    if bytes.is_multiple_of(1024) { format!("{}KiB", bytes / 1024) } else { format!("{bytes}B") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        assert_eq!(duration("80ms").unwrap(), 80_000_000);
        assert_eq!(duration("1.5 s").unwrap(), 1_500_000_000);
        assert_eq!(rate("20Mbps").unwrap(), 20_000_000);
        assert_eq!(rate("0.5Gbps").unwrap(), 500_000_000);
        assert_eq!(loss("0.5%").unwrap(), 5_000);
        assert_eq!(loss("0.0001%").unwrap(), 1);
        assert_eq!(size("64KiB").unwrap(), 65_536);
        assert_eq!(size("16KB").unwrap(), 16_384);
    }

    #[test]
    fn refuses_the_rest() {
        for bad in ["80", "ms", "80 minutes", "", "-5ms", "1e3ms", "NaNms"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
        for bad in ["20", "20MB", "0Mbps", "20 mbps"] {
            assert!(rate(bad).is_err(), "{bad}");
        }
        for bad in ["0.5", "60%", "-1%", "1%%"] {
            assert!(loss(bad).is_err(), "{bad}");
        }
        for bad in ["64", "64kb", "65MiB", "1..5KiB"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_shown_is_read_back() {
        for value in [1_000, 35_000_000, 80_500_000, 2_000_000_000] {
            assert_eq!(duration(&show_duration(value)).unwrap(), value);
        }
        for value in [512_000, 1_000_000, 20_000_000, 1_000_000_000, 2_500_000_000] {
            assert_eq!(rate(&show_rate(value)).unwrap(), value);
        }
        for value in [0, 1, 5_000, 100_000] {
            assert_eq!(loss(&show_loss(value)).unwrap(), value);
        }
        for value in [0, 1, 1500, 204_800] {
            assert_eq!(size(&show_size(value)).unwrap(), value);
        }
    }
}
