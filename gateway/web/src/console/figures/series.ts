// A figure's rows as what a chart draws: names along the bottom, and lines or bars over them. Pure; the numbers are the
// gateway's and are only put in order.

import type { Cell, Figure } from '../answers.ts';
import type { FigureName } from '../routes.ts';

/** How a figure is drawn. */
interface Drawing {
  shape: 'lines' | 'bars';
  /** The column along the bottom, or the columns that together name a place there. */
  along: readonly string[];
  /** Columns that name a line: one line for each of their values. Without them each measure is a line of its own. */
  by?: readonly string[];
  measures: readonly string[];
}

export const DRAWINGS: Readonly<Record<FigureName, Drawing>> = {
  members: {
    shape: 'lines',
    along: ['period'],
    by: ['channel', 'place', 'place_name'],
    measures: ['members', 'new_members'],
  },
  activity: {
    shape: 'lines',
    along: ['period'],
    by: ['channel', 'place', 'place_name'],
    measures: ['members', 'purchases', 'yen'],
  },
  points: {
    shape: 'lines',
    along: ['period'],
    measures: ['granted', 'used', 'expired', 'clawed_back', 'taken', 'outstanding_change'],
  },
  liability: { shape: 'bars', along: ['expires_in'], measures: ['points'] },
  'liability-age': { shape: 'bars', along: ['age'], measures: ['points'] },
  channels: {
    shape: 'bars',
    along: ['first_channel', 'first_place'],
    by: ['channel', 'place'],
    measures: ['members', 'purchases', 'yen', 'earned', 'redeemed'],
  },
  redemption: { shape: 'lines', along: ['period'], measures: ['rate', 'total_rate'] },
};

/** Figures over a range of days that the reader chooses. */
export function overTime(figure: FigureName): boolean {
  return DRAWINGS[figure].along[0] === 'period';
}

/** Whether the reader chooses what is drawn, because every measure has many lines. */
export function chooses(figure: FigureName): boolean {
  return DRAWINGS[figure].by !== undefined;
}

/** Values of the columns that name something, in their order. */
export type Name = readonly Cell[];

export interface Series {
  name: Name;
  values: (number | null)[];
}

export interface Chart {
  shape: 'lines' | 'bars';
  labels: Name[];
  series: Series[];
  /** What the numbers are: `count`, `points`, `yen`, `rate`. */
  kind: string;
  /** Lines that are not drawn because there are too many. */
  left_out: number;
}

/** As many as can be told apart. */
const SERIES_MAX = 7;

export function chart(figure: FigureName, answer: Figure, measure: string): Chart {
  const drawing = DRAWINGS[figure];
  const at = (column: string) => answer.columns.findIndex((one) => one.name === column);
  const names = (row: Cell[], columns: readonly string[]): Name => columns.map((column) => row[at(column)] ?? null);
  const kindOf = (column: string) => answer.columns[at(column)]?.kind ?? 'count';
  const labels = overTime(figure)
    ? periods(
        answer.by,
        answer.from,
        answer.to,
        answer.rows.map((row) => String(row[at('period')])),
      )
    : distinct(answer.rows.map((row) => names(row, drawing.along)));
  const place = new Map(labels.map((label, index) => [JSON.stringify(label), index]));
  const lines = new Map<string, Series>();
  const line = (name: Name): Series => {
    const key = JSON.stringify(name);
    // Nothing told is nothing there; a rate alone may be missing.
    const nothing = kindOf(measure) === 'rate' ? null : 0;
    const found = lines.get(key) ?? { name, values: labels.map(() => nothing) };
    lines.set(key, found);
    return found;
  };
  for (const row of answer.rows) {
    const index = place.get(JSON.stringify(names(row, drawing.along)));
    if (index === undefined) continue;
    for (const column of drawing.by ? [measure] : drawing.measures) {
      const value = row[at(column)];
      line(drawing.by ? names(row, drawing.by) : [column]).values[index] = typeof value === 'number' ? value : null;
    }
  }
  const sorted = drawing.by
    ? [...lines.values()].sort((one, other) => largest(other) - largest(one))
    : [...lines.values()];
  return {
    shape: drawing.shape,
    labels,
    series: sorted.slice(0, SERIES_MAX),
    kind: kindOf(drawing.by ? measure : (drawing.measures[0] ?? '')),
    left_out: Math.max(0, sorted.length - SERIES_MAX),
  };
}

function largest(series: Series): number {
  return series.values.reduce<number>((most, value) => Math.max(most, value ?? 0), 0);
}

function distinct(names: Name[]): Name[] {
  return [...new Map(names.map((name) => [JSON.stringify(name), name])).values()];
}

/** A guard against a range that nobody meant. */
const PERIODS_MAX = 3_700;

/** Every day or month of the range, also where nothing happened, and whatever else the rows name. */
export function periods(by: string, from: string, to: string, told: readonly string[]): Name[] {
  const all = new Set<string>();
  const day = new Date(`${from}T00:00:00Z`);
  const end = Date.parse(`${to}T00:00:00Z`);
  while (day.getTime() <= end && all.size < PERIODS_MAX) {
    all.add(day.toISOString().slice(0, by === 'day' ? 10 : 7));
    day.setUTCDate(day.getUTCDate() + 1);
  }
  for (const period of told) all.add(period);
  return [...all].sort().map((period) => [period]);
}

/** The name of a figure's file. */
export function csvName(answer: Pick<Figure, 'figure' | 'by' | 'from' | 'to'>, timed: boolean): string {
  const parts = timed ? [answer.figure, answer.by, answer.from, answer.to] : [answer.figure];
  return `${parts.join('_').replace(/[^\w-]/g, '')}.csv`;
}
