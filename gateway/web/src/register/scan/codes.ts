// What a scanned or typed code is: a member's, a product's, or neither.
//
// Member codes are only recognized here, never judged: whether one is genuine is the gateway's to say.
// Invariant: nothing is repaired but what the card format allows: white space around, an AIM identifier in front, full-width digits.

/** Numbers of plastic cards, both ends included, as many digits at one as at the other. */
export interface PlasticRange {
  from: string;
  to: string;
}

/** What a code is. */
export type Code =
  | { kind: 'member'; text: string; form: 'phone' | 'short_code' | 'wallet_pass' | 'plastic' }
  | { kind: 'product'; text: string; form: 'ean13' | 'ean8' | 'upc_a' | 'in_store' }
  | { kind: 'other'; text: string; why: 'check_digit' | 'shape' };

const MEMBER_FORMS = [
  { form: 'phone', shape: /^7001\d{195}$/ },
  { form: 'short_code', shape: /^7002\d{16}$/ },
  { form: 'wallet_pass', shape: /^7003\d{20}$/ },
] as const;

/** The text without what readers may strip. */
export function strip(raw: string): string {
  const folded = raw.replace(/[０-９]/g, (digit) => String.fromCharCode(digit.charCodeAt(0) - 0xff10 + 0x30));
  return folded
    .trim()
    .replace(/^[\][][A-Za-z][0-9A-Za-z](?=.)/, '')
    .trim();
}

/** Tells what a code is. Product codes of the shop's own list come first in `isKnownSku`. */
export function classify(
  raw: string,
  plastic: readonly PlasticRange[] = [],
  isKnownSku: (sku: string) => boolean = () => false,
): Code {
  const text = strip(raw);
  const member = MEMBER_FORMS.find(({ shape }) => shape.test(text));
  if (member) return { kind: 'member', text, form: member.form };
  if (plastic.some((range) => isWithin(text, range))) return { kind: 'member', text, form: 'plastic' };
  if (!/^\d+$/.test(text)) {
    return isKnownSku(text) ? { kind: 'product', text, form: 'in_store' } : { kind: 'other', text, why: 'shape' };
  }
  if (isKnownSku(text)) return { kind: 'product', text, form: formOf(text) ?? 'in_store' };
  const form = formOf(text);
  if (form === undefined) return { kind: 'other', text, why: 'shape' };
  // Shops number their own goods in 20–29 and do not all put a check digit there.
  if (form === 'in_store' || hasCheckDigit(text)) return { kind: 'product', text, form };
  return { kind: 'other', text, why: 'check_digit' };
}

function formOf(text: string): 'ean13' | 'ean8' | 'upc_a' | 'in_store' | undefined {
  if (!/^\d+$/.test(text)) return undefined;
  if (text.length === 13) return text.startsWith('2') ? 'in_store' : 'ean13';
  if (text.length === 8) return text.startsWith('2') ? 'in_store' : 'ean8';
  return text.length === 12 ? 'upc_a' : undefined;
}

/** Whether the last digit is the check digit of EAN-13, EAN-8 or UPC-A. */
export function hasCheckDigit(digits: string): boolean {
  const sum = [...digits]
    .reverse()
    .reduce((total, digit, place) => total + Number(digit) * (place % 2 === 0 ? 1 : 3), 0);
  return sum % 10 === 0;
}

function isWithin(text: string, { from, to }: PlasticRange): boolean {
  return /^\d+$/.test(text) && text.length === from.length && text >= from && text <= to;
}

/** Ranges from what a person wrote, one `FROM-TO` a line; or the first line that is none. */
export function parseRanges(written: string): { ranges: PlasticRange[] } | { wrong: string } {
  const ranges: PlasticRange[] = [];
  for (const line of written
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')) {
    const [, from, to] = /^(\d{6,32})\s*[-–~〜]\s*(\d{6,32})$/.exec(line) ?? [];
    if (from === undefined || to === undefined || from.length !== to.length || from > to) return { wrong: line };
    ranges.push({ from, to });
  }
  return { ranges };
}
