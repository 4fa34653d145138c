// The basket: lines, and the money they come to. Integer yen, tax included, no rule of points.
//
// Invariants:
// - Tax is rounded once for each rate and receipt, down: Japan's invoice system allows one rounding per rate.
// - `lineNo` is given once and never again, so a refund names the line that was printed.

/** Consumption tax rates of 2026, in per cent. */
export const TAX_RATES = [8, 10] as const;
export type TaxRate = (typeof TAX_RATES)[number];

/** Bounds of one line; far above any shop's, far below where numbers lose exactness. */
export const YEN_MAX = 9_999_999;
export const QUANTITY_MAX = 999;
export const LINES_MAX = 1_000;
const TEXT_CHARS_MAX = 200;

export interface Line {
  lineNo: number;
  sku: string;
  name: string;
  category: string;
  /** Yen a piece, tax included. */
  price: number;
  quantity: number;
  taxRate: TaxRate;
}

export interface Basket {
  lines: readonly Line[];
  nextLineNo: number;
}

/** What is sold, before it is a line. */
export type Article = Omit<Line, 'lineNo' | 'quantity'>;

export const EMPTY: Basket = { lines: [], nextLineNo: 1 };

/** What one rate comes to. */
export interface TaxSplit {
  taxRate: TaxRate;
  /** Yen, tax included. */
  total: number;
  /** The tax in it, rounded down. */
  tax: number;
}

export interface Totals {
  total: number;
  tax: number;
  pieces: number;
  split: TaxSplit[];
}

export const amountOf = (line: Pick<Line, 'price' | 'quantity'>): number => line.price * line.quantity;

/** Adds an article: one piece more of its line, or a new line. Free lines never join. The same basket if it does not fit any more. */
export function add(basket: Basket, article: Article, quantity = 1): Basket {
  const clean = cleaned(article);
  if (!isPrice(clean.price)) return basket;
  const same = basket.lines.find((line) => line.sku !== FREE_SKU && isSame(line, clean));
  if (same) {
    return same.quantity === QUANTITY_MAX ? basket : setQuantity(basket, same.lineNo, same.quantity + quantity);
  }
  if (basket.lines.length >= LINES_MAX) return basket;
  const line = { ...clean, lineNo: basket.nextLineNo, quantity: clamp(quantity) };
  return { lines: [...basket.lines, line], nextLineNo: basket.nextLineNo + 1 };
}

/** The `sku` of a line that the cashier typed. */
export const FREE_SKU = 'free';

/** Adds a line of an amount that the cashier typed. */
export function addFree(basket: Basket, name: string, price: number, taxRate: TaxRate): Basket {
  return add(basket, { sku: FREE_SKU, name, category: 'free', price, taxRate });
}

/** Sets how many pieces a line has; none removes it. */
export function setQuantity(basket: Basket, lineNo: number, quantity: number): Basket {
  if (quantity < 1) return remove(basket, lineNo);
  const lines = basket.lines.map((line) => (line.lineNo === lineNo ? { ...line, quantity: clamp(quantity) } : line));
  return { ...basket, lines };
}

export function remove(basket: Basket, lineNo: number): Basket {
  return { ...basket, lines: basket.lines.filter((line) => line.lineNo !== lineNo) };
}

export function setTaxRate(basket: Basket, lineNo: number, taxRate: TaxRate): Basket {
  return { ...basket, lines: basket.lines.map((line) => (line.lineNo === lineNo ? { ...line, taxRate } : line)) };
}

/** What the lines come to. */
export function totals(lines: readonly Pick<Line, 'price' | 'quantity' | 'taxRate'>[]): Totals {
  const split = TAX_RATES.flatMap((taxRate): TaxSplit[] => {
    const ofRate = lines.filter((line) => line.taxRate === taxRate);
    const total = ofRate.reduce((sum, line) => sum + amountOf(line), 0);
    return ofRate.length === 0 ? [] : [{ taxRate, total, tax: taxIn(total, taxRate) }];
  });
  return {
    total: split.reduce((sum, { total }) => sum + total, 0),
    tax: split.reduce((sum, { tax }) => sum + tax, 0),
    pieces: lines.reduce((sum, line) => sum + line.quantity, 0),
    split,
  };
}

/** The tax in an amount that includes it, rounded down; exact, for it never leaves the integers. */
export function taxIn(total: number, taxRate: number): number {
  const numerator = total * taxRate;
  const denominator = 100 + taxRate;
  return (numerator - (numerator % denominator)) / denominator;
}

export const isPrice = (price: number): boolean => Number.isSafeInteger(price) && price >= 1 && price <= YEN_MAX;

function clamp(quantity: number): number {
  return Math.min(Math.max(Math.trunc(quantity), 1), QUANTITY_MAX);
}

function isSame(line: Line, article: Article): boolean {
  return (
    line.sku === article.sku &&
    line.price === article.price &&
    line.taxRate === article.taxRate &&
    line.name === article.name
  );
}

/** Texts as the gateway takes them: without control characters, neither empty nor endless. */
function cleaned(article: Article): Article {
  const text = (raw: string, otherwise: string) => {
    const plain = [...raw.replace(/\p{Cc}/gu, ' ').trim()].slice(0, TEXT_CHARS_MAX).join('');
    return plain === '' ? otherwise : plain;
  };
  return {
    ...article,
    sku: text(article.sku, FREE_SKU),
    name: text(article.name, '-'),
    category: text(article.category, 'other'),
  };
}
