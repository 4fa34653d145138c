//! What a card costs: parsing, signing, rotating, both verifiers, drawing.
//!
//! `cargo bench -p member-card`. The one to watch is `verify/card` against `verify/bare aws-lc-rs`: the
//! format may cost 15 % on top of the signature, not more.

use std::hint::black_box;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED, ParsedPublicKey, UnparsedPublicKey,
};
use criterion::{Criterion, criterion_group, criterion_main};
use member_card::draw;
use member_card::{
    CardFields, CardText, ProgrammeId, PublicKey, Rotation, ScannedText, SigningKey, SpendLimit,
    Step,
};
use p256::ecdsa::Signature;
use qrcode::QrCode;

fn key() -> SigningKey {
    SigningKey::from_hex("cf66e357d3b7daef1b1e841569012756aa2e4cf0c49f835dca5efe37a6eb50b6")
        .unwrap()
}

fn programme() -> ProgrammeId {
    ProgrammeId::new("demo").unwrap()
}

fn fields() -> CardFields {
    CardFields {
        issued_at: 1_795_400_000,
        spend: SpendLimit::UpTo(500),
    }
}

fn card_text() -> String {
    key().sign(fields(), &programme()).unwrap().to_digits()
}

fn text(c: &mut Criterion) {
    let digits = card_text();
    let text = CardText::parse(&digits).unwrap();
    let mut group = c.benchmark_group("text");
    group.bench_function("parse", |b| {
        b.iter(|| CardText::parse(black_box(&digits)).unwrap().decode());
    });
    group.bench_function("tell apart", |b| {
        b.iter(|| ScannedText::parse(black_box(&digits)).unwrap());
    });
    group.bench_function("write", |b| b.iter(|| black_box(&text).to_digits()));
    group.finish();
}

fn keys(c: &mut Criterion) {
    let sec1 = key().public_key().to_sec1();
    let mut group = c.benchmark_group("key");
    group.bench_function("sign", |b| {
        let (key, programme) = (key(), programme());
        b.iter(|| key.sign(black_box(fields()), &programme).unwrap());
    });
    group.bench_function("rotate and sign", |b| {
        let (key, programme) = (key(), programme());
        let (mut rotation, mut now) = (Rotation::new(SpendLimit::Unlimited), 1_795_400_000);
        b.iter(|| {
            now += Rotation::PERIOD_S;
            let Step::Show(fields) = rotation.step(black_box(now)) else {
                panic!("a text is due");
            };
            key.sign(fields, &programme).unwrap().to_digits()
        });
    });
    group.bench_function("prepare a public key", |b| {
        b.iter(|| PublicKey::from_sec1(black_box(&sec1)).unwrap());
    });
    group.finish();
}

fn verify(c: &mut Criterion) {
    let (key, programme, digits) = (key(), programme(), card_text());
    let card = CardText::parse(&digits).unwrap().decode();
    let public = key.public_key();
    let sec1 = public.to_sec1();
    // A message of the length a card signs, and its signature in both forms.
    let message = [7; 36];
    let fixed = {
        use p256::ecdsa::signature::Signer;
        let secret = p256::ecdsa::SigningKey::from_slice(&hex(key.to_hex().as_str())).unwrap();
        let signature: Signature = secret.sign(&message);
        signature
    };
    let (fixed, der) = (fixed.to_bytes(), fixed.to_der());
    let mut group = c.benchmark_group("verify");
    group.bench_function("card", |b| {
        b.iter(|| black_box(&card).verify(public, &programme).unwrap());
    });
    group.bench_function("scan to verified card", |b| {
        b.iter(|| {
            CardText::parse(black_box(&digits))
                .unwrap()
                .decode()
                .verify(public, &programme)
                .unwrap()
        });
    });
    let parsed = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, sec1).unwrap();
    group.bench_function("bare aws-lc-rs", |b| {
        b.iter(|| parsed.verify_sig(black_box(&message), &fixed).unwrap());
    });
    let parsed = ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, sec1).unwrap();
    group.bench_function("bare aws-lc-rs, DER", |b| {
        b.iter(|| {
            parsed
                .verify_sig(black_box(&message), der.as_bytes())
                .unwrap();
        });
    });
    let unparsed = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, sec1);
    group.bench_function("bare aws-lc-rs, key unparsed", |b| {
        b.iter(|| unparsed.verify(black_box(&message), &fixed).unwrap());
    });
    group.bench_function("card, p256", |b| {
        b.iter(|| {
            black_box(&card)
                .verify_portable(public, &programme)
                .unwrap()
        });
    });
    group.finish();
}

fn hex(digits: &str) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(digits.as_bytes()).unwrap()
}

fn drawing(c: &mut Criterion) {
    let text = card_text();
    let matrix = draw::matrix(&text).unwrap();
    let mut group = c.benchmark_group("draw");
    group.bench_function("matrix, fast_qr", |b| {
        b.iter(|| draw::matrix(black_box(&text)).unwrap());
    });
    group.bench_function("matrix, qrcode", |b| {
        b.iter(|| QrCode::new(black_box(&text)).unwrap());
    });
    group.bench_function("SVG from the matrix", |b| {
        b.iter(|| black_box(&matrix).to_svg(8).unwrap());
    });
    group.bench_function("PNG from the matrix", |b| {
        b.iter(|| black_box(&matrix).to_png(8).unwrap());
    });
    group.bench_function("PNG from the text", |b| {
        b.iter(|| draw::png(black_box(&text), 8).unwrap());
    });
    group.finish();
}

criterion_group!(benches, text, keys, verify, drawing);
criterion_main!(benches);
