//! What a cashier types.

use jiff::civil::Date;
use pos_protocol::{Points, RefundLine, RequestId, Yen};

/// Characters of the shortest text that is taken for a scanned card.
const SCAN_CHARS_MIN: usize = 12;

/// One line, understood.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Command {
    Nothing,
    Scan(String),
    Item {
        name: String,
        price: Yen,
        quantity: u32,
        tax_rate: u8,
    },
    /// How many points; none for all that can be spent.
    Points(Option<Points>),
    /// With points that were not held, or without.
    Pay(Option<Points>),
    Void,
    Quote(Return),
    Refund(Return),
    Undo(Option<RequestId>),
    Settle {
        day: Option<Date>,
        anyway: bool,
    },
    Totals(Option<Date>),
    Status(Option<RequestId>),
    Wait,
    Journal,
    Compact,
    Help,
    Quit,
}

/// Goods that come back.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Return {
    /// A receipt's number, a purchase's id, or `last`.
    pub(crate) receipt: String,
    pub(crate) lines: Option<Vec<RefundLine>>,
}

pub(crate) const HELP: &str = "\
  TEXT, scan TEXT          a card; opens a basket and asks whose it is
  item NAME PRICE [xN] [8%]  N pieces at PRICE yen each, tax included (10% unless said)
  points N, points all     hold points for the basket; 0 lets them go
  pay [N]                  the sale; N: pay with N points that were not held
  void                     let the hold go and forget the basket
  quote RECEIPT [LINE xN]… what would come back; RECEIPT is a number, a purchase id or `last`
  refund RECEIPT [LINE xN]…  goods come back, all that is left or these
  undo [REQUEST]           reverse a request, the last sale unless said
  totals [DAY]             the day's totals from the journal
  settle [DAY] [anyway]    compare them with the gateway's
  status [REQUEST]         how the till stands; what the gateway has under a request id
  wait                     until every request has its answer
  journal, compact         print the journal; make it smaller
  quit";

impl Command {
    /// Understands a line.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(line: &str) -> Result<Self, String> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(Self::Nothing);
        }
        if looks_scanned(line) {
            return Ok(Self::Scan(line.to_owned()));
        }
        let words = words(line)?;
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["scan", text] => Ok(Self::Scan((*text).to_owned())),
            ["item", name, price, rest @ ..] => item(name, price, rest),
            ["points", "all"] => Ok(Self::Points(None)),
            ["points", number] => points(number).map(|points| Self::Points(Some(points))),
            ["pay"] => Ok(Self::Pay(None)),
            ["pay", number] => points(number).map(|points| Self::Pay(Some(points))),
            ["void"] => Ok(Self::Void),
            ["quote", receipt, lines @ ..] => returned(receipt, lines).map(Self::Quote),
            ["refund", receipt, lines @ ..] => returned(receipt, lines).map(Self::Refund),
            ["undo"] => Ok(Self::Undo(None)),
            ["undo", id] => request(id).map(|id| Self::Undo(Some(id))),
            ["settle", rest @ ..] => settle(rest),
            ["totals"] => Ok(Self::Totals(None)),
            ["totals", day] => date(day).map(|day| Self::Totals(Some(day))),
            ["status"] => Ok(Self::Status(None)),
            ["status", id] => request(id).map(|id| Self::Status(Some(id))),
            ["wait"] => Ok(Self::Wait),
            ["journal"] => Ok(Self::Journal),
            ["compact"] => Ok(Self::Compact),
            ["help"] => Ok(Self::Help),
            ["quit" | "exit"] => Ok(Self::Quit),
            _ => Err(format!("not understood: {line}; type help")),
        }
    }
}

/// A scanner types digits, perhaps after the name of the code's kind (`]Q1`), and nothing a cashier
/// would.
fn looks_scanned(line: &str) -> bool {
    let text = match line.strip_prefix([']', '[']) {
        Some(rest) => rest.get(2..).unwrap_or_default(),
        None => line,
    };
    text.chars().count() >= SCAN_CHARS_MIN && text.chars().all(char::is_numeric)
}

/// Words, separated by spaces; a word in double quotes may have spaces.
fn words(line: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word, mut quoted, mut begun) = (Vec::new(), String::new(), false, false);
    for character in line.chars() {
        match character {
            '"' => (quoted, begun) = (!quoted, true),
            space if space.is_whitespace() && !quoted => {
                if begun {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            other => {
                word.push(other);
                begun = true;
            }
        }
    }
    if quoted {
        return Err("a quotation mark is missing".to_owned());
    }
    if begun {
        words.push(word);
    }
    Ok(words)
}

fn item(name: &str, price: &str, rest: &[&str]) -> Result<Command, String> {
    let number = price.replace(',', "");
    let yen = number.parse().ok().and_then(|yen| Yen::new(yen).ok());
    let price = yen.ok_or_else(|| format!("{price} is no price in yen"))?;
    let (mut quantity, mut tax_rate) = (1, 10);
    for word in rest {
        if let Some(pieces) = word.strip_prefix('x').and_then(|text| text.parse().ok()) {
            quantity = pieces;
        } else if let Some(rate) = word.strip_suffix('%').and_then(|text| text.parse().ok()) {
            tax_rate = rate;
        } else {
            return Err(format!("{word} is neither pieces (x2) nor a tax rate (8%)"));
        }
    }
    let name = name.to_owned();
    Ok(Command::Item {
        name,
        price,
        quantity,
        tax_rate,
    })
}

fn returned(receipt: &str, rest: &[&str]) -> Result<Return, String> {
    let mut lines = Vec::new();
    let mut words = rest.iter().peekable();
    while let Some(word) = words.next() {
        let line_no = word.parse().map_err(|_| format!("{word} is no line"))?;
        let pieces = words
            .peek()
            .and_then(|word| word.strip_prefix('x')?.parse().ok());
        if pieces.is_some() {
            words.next();
        }
        lines.push(RefundLine {
            line_no,
            quantity: pieces.unwrap_or(1),
        });
    }
    Ok(Return {
        receipt: receipt.to_owned(),
        lines: (!lines.is_empty()).then_some(lines),
    })
}

fn settle(rest: &[&str]) -> Result<Command, String> {
    let (mut day, mut anyway) = (None, false);
    for word in rest {
        match *word {
            "anyway" => anyway = true,
            text => day = Some(date(text)?),
        }
    }
    Ok(Command::Settle { day, anyway })
}

fn points(text: &str) -> Result<Points, String> {
    let number = text.replace(',', "").parse().ok();
    let points = number.and_then(|points| Points::new(points).ok());
    points.ok_or_else(|| format!("{text} is no number of points"))
}

fn date(text: &str) -> Result<Date, String> {
    text.parse()
        .map_err(|_| format!("{text} is no day like 2026-11-22"))
}

fn request(text: &str) -> Result<RequestId, String> {
    RequestId::new(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_scan_or_a_command() {
        let digits = "7001".repeat(50);
        for (line, expected) in [
            (digits.as_str(), Ok(Command::Scan(digits.clone()))),
            (
                &format!("]Q1{digits}"),
                Ok(Command::Scan(format!("]Q1{digits}"))),
            ),
            ("", Ok(Command::Nothing)),
            ("# points", Ok(Command::Nothing)),
            ("points all", Ok(Command::Points(None))),
            ("points 1,500", Ok(Command::Points(Points::new(1_500).ok()))),
            ("pay", Ok(Command::Pay(None))),
            (
                "settle 2026-11-22 anyway",
                Ok(Command::Settle {
                    day: "2026-11-22".parse().ok(),
                    anyway: true,
                }),
            ),
            (
                "item \"green tea\" 1,080 x2 8%",
                Ok(Command::Item {
                    name: "green tea".into(),
                    price: Yen::new(1_080).unwrap(),
                    quantity: 2,
                    tax_rate: 8,
                }),
            ),
            (
                "refund last 1 x2 3",
                Ok(Command::Refund(Return {
                    receipt: "last".into(),
                    lines: Some(vec![
                        RefundLine {
                            line_no: 1,
                            quantity: 2,
                        },
                        RefundLine {
                            line_no: 3,
                            quantity: 1,
                        },
                    ]),
                })),
            ),
            ("item tea 1080 two", Err(())),
            ("points -1", Err(())),
            ("item \"tea 1080", Err(())),
            ("dance", Err(())),
        ] {
            assert_eq!(Command::parse(line).map_err(|_| ()), expected, "{line}");
        }
    }
}
