// Cells of a figure in words and numbers of the page's language.

import { integer, yen } from '../../kit/format.ts';
import { language } from '../../kit/i18n.ts';
import type { Cell } from '../answers.ts';
import { term } from '../terms.ts';
import { figures as words } from '../words/figures.ts';
import type { Name } from './series.ts';

export function columnName(name: string): string {
  const names: Record<string, string> = words().columns;
  return names[name] ?? name;
}

export function percent(rate: number): string {
  const locale = language.value === 'ja' ? 'ja-JP' : 'en-GB';
  return new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 2 }).format(rate);
}

export function numberText(kind: string, value: number): string {
  return kind === 'rate' ? percent(value) : kind === 'yen' ? yen(value) : integer(value);
}

export function isNumber(kind: string): boolean {
  return kind === 'count' || kind === 'points' || kind === 'yen' || kind === 'rate';
}

export function cellText(column: string, kind: string, cell: Cell | undefined): string {
  if (cell === null || cell === undefined || cell === '') return '—';
  if (typeof cell === 'number') return numberText(kind, cell);
  if (column === 'channel' || column === 'first_channel') return term('channel', cell);
  if (column === 'age') return words().days(cell);
  if (column === 'expires_in' && cell === 'never') return words().never;
  return cell;
}

/** What stands along the bottom: the columns' values, without what is empty. */
export function labelText(columns: readonly string[], name: Name): string {
  const texts = columns.map((column, index) => cellText(column, 'text', name[index]));
  const told = texts.filter((text) => text !== '—');
  return told.length > 0 ? told.join(' ') : '—';
}

/** The name of a line: a measure, or a place by its name, else its id, else its kind. */
export function seriesText(columns: readonly string[] | undefined, name: Name): string {
  if (!columns) return columnName(String(name[0]));
  const [channel, place, place_name] = name;
  return String(place_name || place || '') || cellText('channel', 'text', channel);
}
