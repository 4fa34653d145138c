//! Every drawn form is read back, and the fast encoder is held against the reference one.

use fast_qr::{ECL, Mask, QRBuilder};
use member_card::draw::{self, DrawError, QUIET_ZONE_MODULES, SCALE_PX_MAX, TEXT_BYTES_MAX};
use member_card::{CardFields, CardText, ProgrammeId, SigningKey, SpendLimit};
use proptest::prelude::*;
use qrcode::bits::Bits;
use qrcode::canvas::{Canvas, MaskPattern};
use qrcode::{Color, EcLevel, QrCode, Version, ec};

/// A dark-and-light picture that can be read like a camera frame.
struct Picture {
    side: usize,
    grey: Vec<u8>,
}

impl Picture {
    fn new(side: usize) -> Self {
        Self {
            side,
            grey: vec![255; side * side],
        }
    }

    fn darken(&mut self, x: usize, y: usize) {
        self.grey[y * self.side + x] = 0;
    }

    fn is_dark(&self, x: usize, y: usize) -> bool {
        self.grey[y * self.side + x] < 128
    }

    fn scaled(&self, factor: usize) -> Self {
        let mut scaled = Self::new(self.side * factor);
        for y in 0..scaled.side {
            for x in (0..scaled.side).filter(|x| self.is_dark(x / factor, y / factor)) {
                scaled.darken(x, y);
            }
        }
        scaled
    }

    /// What a reader finds, with the version it found.
    fn read(&self) -> (usize, String) {
        let mut image =
            rqrr::PreparedImage::prepare_from_greyscale(self.side, self.side, |x, y| {
                self.grey[y * self.side + x]
            });
        let grids = image.detect_grids();
        assert_eq!(grids.len(), 1, "one code in the picture");
        let (meta, text) = grids[0].decode().expect("the code decodes");
        // The two format bits of level M are 00.
        assert_eq!(meta.ecc_level, 0);
        (meta.version.0, text)
    }

    fn has_quiet_zone(&self, zone: usize) -> bool {
        let inside = zone..self.side - zone;
        let outside = |x, y| !inside.contains(&x) || !inside.contains(&y);
        let every = (0..self.side).flat_map(|y| (0..self.side).map(move |x| (x, y)));
        every
            .filter(|(x, y)| outside(*x, *y))
            .all(|(x, y)| !self.is_dark(x, y))
    }
}

fn card_text(seed: u32) -> String {
    let key =
        SigningKey::from_hex("cf66e357d3b7daef1b1e841569012756aa2e4cf0c49f835dca5efe37a6eb50b6")
            .unwrap();
    let fields = CardFields {
        issued_at: seed,
        spend: SpendLimit::UpTo(seed % 1000),
    };
    key.sign(fields, &ProgrammeId::new("demo").unwrap())
        .unwrap()
        .to_digits()
}

fn png_picture(png: &[u8]) -> Picture {
    let image = image::load_from_memory(png).unwrap().into_luma8();
    assert_eq!(image.width(), image.height());
    assert!(image.iter().all(|grey| [0, 255].contains(grey)));
    Picture {
        side: image.width() as usize,
        grey: image.into_raw(),
    }
}

/// Paints an SVG by its own instructions: the size from its head, then every `M x y h w v h` of its path.
fn svg_picture(svg: &str) -> Picture {
    let (head, path) = svg
        .split_once(r##"<path fill="#000" d=""##)
        .expect("a black path");
    assert!(head.contains(r##"fill="#fff"/>"##), "a white ground");
    let side = head
        .split_once(r#"viewBox="0 0 "#)
        .unwrap()
        .1
        .split_once(' ')
        .unwrap()
        .0
        .parse()
        .unwrap();
    let mut picture = Picture::new(side);
    let path = path.split_once('"').unwrap().0;
    for rectangle in path.split('M').skip(1) {
        let numbers: Vec<usize> = rectangle
            .split([' ', 'h', 'v', 'H', 'V'])
            .map(|number| number.parse().unwrap())
            .collect();
        let [left, top, width, height, back_x, back_y] = numbers[..] else {
            panic!("{rectangle}")
        };
        assert_eq!((back_x, back_y), (left, top), "the path closes");
        for y in top..top + height {
            (left..left + width).for_each(|x| picture.darken(x, y));
        }
    }
    picture
}

/// Paints what a terminal shows, one pixel per module.
fn terminal_picture(blocks: &str) -> Picture {
    let lines: Vec<&str> = blocks.lines().collect();
    let inner = |line: &str| {
        let line = line
            .strip_prefix("\x1b[38;5;16;48;5;231m")
            .expect("black on white");
        line.strip_suffix("\x1b[0m")
            .expect("colours end with the line")
            .to_owned()
    };
    let side = inner(lines[0]).chars().count();
    let mut picture = Picture::new(side);
    for (row, line) in lines.iter().enumerate() {
        for (x, block) in inner(line).chars().enumerate() {
            let (upper, lower) = match block {
                ' ' => (false, false),
                '▀' => (true, false),
                '▄' => (false, true),
                '█' => (true, true),
                other => panic!("{other:?} is no block"),
            };
            if upper {
                picture.darken(x, 2 * row);
            }
            if lower {
                picture.darken(x, 2 * row + 1);
            }
        }
    }
    picture
}

#[test]
fn a_card_is_version_5_in_numeric_mode() {
    let text = card_text(1_795_400_000);
    let matrix = draw::matrix(&text).unwrap();
    assert_eq!((matrix.version(), matrix.size()), (5, 37));
    // Three digits more is all that version 5 holds in numeric mode: so numeric mode it is.
    assert_eq!(draw::matrix(&"9".repeat(202)).unwrap().version(), 5);
    assert_eq!(draw::matrix(&"9".repeat(203)).unwrap().version(), 6);
    assert_eq!(QrCode::new(&text).unwrap().version(), Version::Normal(5));
}

#[test]
fn every_form_reads_back_with_its_quiet_zone() {
    let text = card_text(1_795_400_000);
    for scale in [1, 2, 3, 8] {
        let scale_px = scale as usize;
        let png = png_picture(&draw::png(&text, scale).unwrap());
        let svg = svg_picture(&draw::svg(&text, scale).unwrap());
        assert_eq!(png.side, (37 + 2 * QUIET_ZONE_MODULES) * scale_px);
        assert!(
            png.grey == svg.grey,
            "PNG and SVG are the same picture at scale {scale}"
        );
        assert!(png.has_quiet_zone(QUIET_ZONE_MODULES * scale_px));
        // A reader needs some pixels per module; a camera has them.
        let seen = if scale < 3 { png.scaled(4) } else { png };
        assert_eq!(seen.read(), (5, text.clone()));
    }
    let terminal = terminal_picture(&draw::terminal(&text).unwrap());
    assert!(terminal.has_quiet_zone(QUIET_ZONE_MODULES));
    assert_eq!(terminal.scaled(4).read(), (5, text));
}

#[test]
fn a_matrix_is_light_outside() {
    let matrix = draw::matrix("70021234567890123456").unwrap();
    assert!(matrix.is_dark(0, 0) && matrix.is_dark(matrix.size() - 1, 0));
    assert!(!matrix.is_dark(matrix.size(), 0) && !matrix.is_dark(0, matrix.size()));
    assert!(!matrix.is_dark(usize::MAX, 0));
}

#[test]
fn unreasonable_orders_are_refused() {
    assert!(matches!(draw::matrix(""), Err(DrawError::TextLength)));
    assert!(matches!(
        draw::matrix(&"1".repeat(TEXT_BYTES_MAX + 1)),
        Err(DrawError::TextLength)
    ));
    assert!(draw::matrix(&"x".repeat(TEXT_BYTES_MAX)).is_ok());
    assert!(matches!(draw::png("1", 0), Err(DrawError::Scale)));
    assert!(matches!(
        draw::svg("1", SCALE_PX_MAX + 1),
        Err(DrawError::Scale)
    ));
    assert!(draw::png("1", SCALE_PX_MAX).is_ok());
}

/// The reference encoder with a mask of our choosing.
fn reference(text: &str, mask: MaskPattern) -> Vec<Color> {
    let mut bits = Bits::new(Version::Normal(5));
    bits.push_numeric_data(text.as_bytes()).unwrap();
    bits.push_terminator(EcLevel::M).unwrap();
    let (data, correction) =
        ec::construct_codewords(&bits.into_bytes(), Version::Normal(5), EcLevel::M).unwrap();
    let mut canvas = Canvas::new(Version::Normal(5), EcLevel::M);
    canvas.draw_all_functional_patterns();
    canvas.draw_data(&data, &correction);
    canvas.apply_mask(mask);
    canvas.into_colors()
}

#[test]
fn both_encoders_agree_on_every_module_under_every_mask() {
    let masks = [
        (Mask::Checkerboard, MaskPattern::Checkerboard),
        (Mask::HorizontalLines, MaskPattern::HorizontalLines),
        (Mask::VerticalLines, MaskPattern::VerticalLines),
        (Mask::DiagonalLines, MaskPattern::DiagonalLines),
        (Mask::LargeCheckerboard, MaskPattern::LargeCheckerboard),
        (Mask::Fields, MaskPattern::Fields),
        (Mask::Diamonds, MaskPattern::Diamonds),
        (Mask::Meadow, MaskPattern::Meadow),
    ];
    for seed in 0..8 {
        let text = card_text(1_795_400_000 + seed);
        let drawn = draw::matrix(&text).unwrap();
        let mut drawn_with = 0;
        for (fast_mask, mask) in masks {
            let reference = reference(&text, mask);
            let is_dark = |x: usize, y: usize| reference[y * 37 + x] == Color::Dark;
            let fast = QRBuilder::new(text.as_str())
                .ecl(ECL::M)
                .mask(fast_mask)
                .build()
                .unwrap();
            let every = || (0..37).flat_map(|y| (0..37).map(move |x| (x, y)));
            assert!(
                every().all(|(x, y)| fast[y][x].value() == is_dark(x, y)),
                "mask {mask:?}"
            );
            drawn_with += usize::from(every().all(|(x, y)| drawn.is_dark(x, y) == is_dark(x, y)));
        }
        assert_eq!(
            drawn_with, 1,
            "what is drawn is the reference under exactly one mask"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_card_reads_back(seed: u32) {
        let text = card_text(seed);
        let (version, read) = png_picture(&draw::png(&text, 4).unwrap()).read();
        prop_assert_eq!(version, 5);
        prop_assert!(CardText::parse(&read).is_ok());
        prop_assert_eq!(read, text);
    }
}
