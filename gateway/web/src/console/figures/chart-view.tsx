// A chart with its legend and what the pointer is over. For who does not see it, it is one picture with a name; the
// numbers are in the table below.

import { useEffect, useRef, useState } from 'preact/hooks';
import { language } from '../../kit/i18n.ts';
import type { FigureName } from '../routes.ts';
import { figures as words } from '../words/figures.ts';
import { labelText, numberText, seriesText } from './cells.ts';
import { DASHES } from './dashes.ts';
import { type Chart, DRAWINGS } from './series.ts';

export function ChartView({ figure, name, chart }: { figure: FigureName; name: string; chart: Chart }) {
  const w = words();
  const place = useRef<HTMLDivElement>(null);
  const [pointed, setPointed] = useState<number>();
  const [scheme, setScheme] = useState(0);
  const drawing = DRAWINGS[figure];
  const labels = chart.labels.map((label) => labelText(drawing.along, label));
  const series = chart.series.map((one) => ({ name: seriesText(drawing.by, one.name), values: one.values }));
  const key = JSON.stringify([chart, language.value, scheme]);
  useEffect(() => {
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const changed = () => setScheme((turn) => turn + 1);
    dark.addEventListener('change', changed);
    return () => dark.removeEventListener('change', changed);
  }, []);
  // The key is all of what is drawn.
  useEffect(() => {
    let away: (() => void) | undefined;
    let left = false;
    setPointed(undefined);
    void import('./plot.ts').then(({ draw }) => {
      if (left || !place.current) return;
      const text = (value: number) => numberText(chart.kind, value);
      away = draw(place.current, { shape: chart.shape, labels, series, text, pointed: setPointed });
    });
    return () => {
      left = true;
      away?.();
    };
  }, [key]);
  return (
    <div class="stack">
      <ul class="plain row legend">
        {series.map((one, index) => (
          <li key={one.name} class="row tight">
            <svg class={`swatch series-${index + 1}`} viewBox="0 0 36 10" aria-hidden="true">
              {chart.shape === 'bars' ? (
                <rect width="36" height="10" />
              ) : (
                <line x1="0" x2="36" y1="5" y2="5" stroke-dasharray={DASHES[index]?.join(' ')} />
              )}
            </svg>
            {one.name}
          </li>
        ))}
      </ul>
      <div class="chart" role="img" aria-label={w.chartOf(name)} ref={place} />
      <p class="hint number readout" aria-hidden="true">
        {pointed === undefined
          ? ''
          : `${labels[pointed]}: ${series
              .map((one) => [one.name, one.values[pointed]] as const)
              .map(([line, value]) => `${line} ${value == null ? '—' : numberText(chart.kind, value)}`)
              .join(' · ')}`}
      </p>
      {chart.left_out > 0 && <p class="hint">{w.leftOut(chart.left_out)}</p>}
    </div>
  );
}
