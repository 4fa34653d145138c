// The shop's articles: a short list of the demo, or a file of comma-separated values from any spreadsheet.

import type { Article, TaxRate } from './basket.ts';
import { isPrice } from './basket.ts';

/** What a demo sells. */
export const DEMO_ARTICLES: readonly Article[] = [
  { sku: '4912345670014', name: 'おにぎり 鮭', category: 'food', price: 160, taxRate: 8 },
  { sku: '4912345670021', name: '緑茶 500ml', category: 'food', price: 151, taxRate: 8 },
  { sku: '4912345670038', name: '食パン', category: 'food', price: 198, taxRate: 8 },
  { sku: '4912345670045', name: 'りんご', category: 'food', price: 130, taxRate: 8 },
  { sku: '4912345670052', name: 'コーヒー豆 200g', category: 'food', price: 980, taxRate: 8 },
  { sku: '4912345670069', name: 'マグカップ', category: 'household', price: 1_100, taxRate: 10 },
  { sku: '4912345670076', name: 'タオル', category: 'household', price: 770, taxRate: 10 },
  { sku: '2000000000015', name: 'レジ袋', category: 'household', price: 5, taxRate: 10 },
];

const HEADER = ['sku', 'name', 'category', 'price', 'tax_rate'] as const;
/** More are no small shop's, and would make the page slow. */
export const ARTICLES_MAX = 5_000;

/** What a file says, or where it is wrong. Lines count from 1, as a spreadsheet does. */
export type Parsed =
  | { articles: Article[] }
  | { line: number; wrong: 'header' | 'columns' | 'price' | 'tax_rate' | 'sku' | 'too_many' };

/** Reads the file: a header with the five columns in any order, then an article a line. */
export function parseArticles(text: string): Parsed {
  const rows = parseCsv(text.replace(/^\uFEFF/, ''));
  const header = rows[0]?.map((name) => name.trim().toLowerCase()) ?? [];
  const places = HEADER.map((name) => header.indexOf(name));
  if (places.includes(-1)) return { line: 1, wrong: 'header' };
  if (rows.length - 1 > ARTICLES_MAX) return { line: ARTICLES_MAX + 2, wrong: 'too_many' };
  const articles: Article[] = [];
  const seen = new Set<string>();
  for (const [index, row] of rows.slice(1).entries()) {
    const line = index + 2;
    if (row.length < header.length) return { line, wrong: 'columns' };
    const [sku = '', name = '', category = '', price = '', rate = ''] = places.map((place) =>
      (row[place] ?? '').trim(),
    );
    if (sku === '' || seen.has(sku)) return { line, wrong: 'sku' };
    if (!/^\d+$/.test(price) || !isPrice(Number(price))) return { line, wrong: 'price' };
    const taxRate = rateOf(rate);
    if (taxRate === undefined) return { line, wrong: 'tax_rate' };
    seen.add(sku);
    articles.push({ sku, name: name || sku, category: category || 'other', price: Number(price), taxRate });
  }
  return { articles };
}

/** The file of these articles; a spreadsheet takes no cell of it for a formula. */
export function writeArticles(articles: readonly Article[]): string {
  const rows = articles.map(({ sku, name, category, price, taxRate }) => [sku, name, category, price, taxRate]);
  return [HEADER, ...rows].map((row) => row.map((cell) => quoted(String(cell))).join(',')).join('\r\n');
}

function rateOf(text: string): TaxRate | undefined {
  if (/^8(\s*%)?$/.test(text)) return 8;
  return /^10(\s*%)?$/.test(text) ? 10 : undefined;
}

function quoted(cell: string): string {
  const safe = /^[=+\-@\t]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** RFC 4180, without empty lines. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let [row, cell, inQuotes]: [string[], string, boolean] = [[], '', false];
  const endRow = () => {
    row.push(cell);
    if (row.some((each) => each.trim() !== '')) rows.push(row);
    [row, cell] = [[], ''];
  };
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] as string;
    if (inQuotes) {
      if (character !== '"') cell += character;
      else if (text[at + 1] === '"') {
        cell += '"';
        at += 1;
      } else inQuotes = false;
    } else if (character === '"' && cell === '') inQuotes = true;
    else if (character === ',') {
      row.push(cell);
      cell = '';
    } else if (character === '\n') endRow();
    else if (character !== '\r') cell += character;
  }
  endRow();
  return rows;
}
