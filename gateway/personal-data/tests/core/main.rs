//! What holds of the crate as a whole: bytes that are stored never change, rows open only as they were sealed,
//! normal forms are final, and nothing shows.

mod hiding;
mod known_answers;
mod normal_forms;
mod sealing;

use jiff::civil::Date;
use personal_data::{ConsentInput, MasterKey, MasterKeys, Profile, ProfileInput};
use uuid::Uuid;

const TODAY: Date = Date::constant(2026, 4, 1);
const MEMBER: Uuid = Uuid::from_u128(0x0197_a3c0_0000_7000_8000_0000_0000_0001);

/// The bytes from `first` on, each one more than the one before.
fn counting<const N: usize>(first: u8) -> [u8; N] {
    std::array::from_fn(|place| first.wrapping_add(u8::try_from(place).unwrap()))
}

fn master_key(first: u8) -> MasterKey {
    MasterKey::from_random(counting(first))
}

fn only(key: MasterKey) -> MasterKeys {
    MasterKeys::new(key, Vec::new()).unwrap()
}

fn input() -> ProfileInput {
    ProfileInput {
        name: Some("山田\u{3000}翔太".to_owned()),
        kana: Some("ﾔﾏﾀﾞ ｼｮｳﾀ".to_owned()),
        email: Some("Taro＠Example.JP".to_owned()),
        phone: Some("０９０－１２３４－５６７８".to_owned()),
        birthday: Some("1980/1/2".to_owned()),
        postal_code: Some("〒1234567".to_owned()),
        consents: vec![ConsentInput {
            purpose: "newsletter".to_owned(),
            wording_version: "2026-04".to_owned(),
            given_at: "2026-04-01T00:00:00Z".parse().unwrap(),
            withdrawn_at: None,
        }],
    }
}

fn profile() -> Profile {
    Profile::parse(&input(), TODAY).unwrap()
}
