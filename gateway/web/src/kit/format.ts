// Numbers, money and days as people read them, in the page's language. A business day is a day, not an instant: it
// is never shifted between time zones.

import { type Language, language } from './i18n.ts';

const LOCALE: Record<Language, string> = { ja: 'ja-JP', en: 'en-GB' };
const kept = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat>();

function once<T extends Intl.NumberFormat | Intl.DateTimeFormat>(name: string, make: (locale: string) => T): T {
  const key = `${language.value} ${name}`;
  const found = kept.get(key) as T | undefined;
  if (found) return found;
  const made = make(LOCALE[language.value]);
  kept.set(key, made);
  return made;
}

export function integer(value: number): string {
  return once('integer', (locale) => new Intl.NumberFormat(locale, { maximumFractionDigits: 0 })).format(value);
}

/** `+120` or `−50`. */
export function signed(value: number): string {
  const make = (locale: string) =>
    new Intl.NumberFormat(locale, { maximumFractionDigits: 0, signDisplay: 'exceptZero' });
  return once('signed', make).format(value).replace('-', '−');
}

export function yen(value: number): string {
  return language.value === 'ja' ? `${integer(value)}円` : `¥${integer(value)}`;
}

export function points(value: number): string {
  return language.value === 'ja'
    ? `${integer(value)} ポイント`
    : `${integer(value)} ${value === 1 ? 'point' : 'points'}`;
}

/** A day such as `2026-04-01`. */
export function day(text: string): string {
  const make = (locale: string) => new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeZone: 'UTC' });
  return shown(once('day', make), `${text}T00:00:00Z`, text);
}

/** An instant in RFC 3339, on the reader's clock. */
export function instant(text: string): string {
  const make = (locale: string) => new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' });
  return shown(once('instant', make), text, text);
}

/** The time of day of an instant. */
export function time(text: string): string {
  const make = (locale: string) => new Intl.DateTimeFormat(locale, { timeStyle: 'short' });
  return shown(once('time', make), text, text);
}

function shown(format: Intl.DateTimeFormat, text: string, otherwise: string): string {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? otherwise : format.format(date);
}
