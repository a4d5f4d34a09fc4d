//! QR codes of half blocks, two rows of the code to a line of text.

use qrcode::{EcLevel, QrCode, render::unicode::Dense1x2};

use super::Style;

/// The lines of a code; none if the text does not fit into one. With colours it is black on white,
/// whatever the terminal's colours are; without, it is drawn for a dark background.
pub(crate) fn qr(text: &str, style: Style) -> Vec<String> {
    let Ok(code) = QrCode::with_error_correction_level(text, EcLevel::L) else { return Vec::new() };
    let (dark, light) = match style.is_coloured() {
        true => (Dense1x2::Dark, Dense1x2::Light),
        false => (Dense1x2::Light, Dense1x2::Dark),
    };
    let drawn = code.render::<Dense1x2>().dark_color(dark).light_color(light).build();
    drawn.lines().map(|line| style.black_on_white(line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_square_and_what_does_not_fit_is_no_code() {
        let lines = qr("comity-safety-number:123456789012345678901234567890", Style::new(false));
        let width = lines[0].chars().count();
        assert!(lines.iter().all(|line| line.chars().count() == width), "{lines:#?}");
        assert!(lines.len().abs_diff(width.div_ceil(2)) <= 1, "{} {width}", lines.len());
        assert!(width <= 72, "it fits on a terminal of 80 columns");
        assert!(qr(&"x".repeat(5_000), Style::new(false)).is_empty());
    }
}
