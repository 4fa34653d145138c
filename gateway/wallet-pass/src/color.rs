//! The colours of a card.

/// A colour, 8 bits a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Color {
    /// Red.
    pub red: u8,
    /// Green.
    pub green: u8,
    /// Blue.
    pub blue: u8,
}

impl Color {
    /// White.
    pub const WHITE: Self = Self::new(255, 255, 255);

    /// The colour of these channels.
    #[must_use]
    pub const fn new(red: u8, green: u8, blue: u8) -> Self {
        Self { red, green, blue }
    }

    /// The colour, if `text` is `#rrggbb`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#')?;
        let channels = data_encoding::HEXLOWER_PERMISSIVE
            .decode(digits.as_bytes())
            .ok()?;
        let [red, green, blue] = <[u8; 3]>::try_from(channels).ok()?;
        Some(Self { red, green, blue })
    }

    /// `#rrggbb`, as Google writes colours.
    pub(crate) fn hex(self) -> String {
        format!("#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }

    /// `rgb(r, g, b)`, as Apple writes colours.
    pub(crate) fn rgb(self) -> String {
        format!("rgb({}, {}, {})", self.red, self.green, self.blue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_read_and_written() {
        let color = Color::new(0, 122, 255);
        assert_eq!(Color::parse("#007aFF"), Some(color));
        assert_eq!(
            (color.hex(), color.rgb()),
            ("#007aff".into(), "rgb(0, 122, 255)".into())
        );
        for text in ["", "#", "007aff", "#007af", "#007aff0", "#00gaff", "#00é"] {
            assert_eq!(Color::parse(text), None, "{text}");
        }
    }
}
