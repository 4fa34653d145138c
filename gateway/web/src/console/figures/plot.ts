// Draws a chart with uPlot. Its own chunk: only who looks at a figure loads it. Colours come from the page's tokens, so
// that a chart follows the theme; lines differ in their dashes too.

import 'uplot/dist/uPlot.min.css';
import uPlot from 'uplot';
import { DASHES } from './dashes.ts';

export interface Plot {
  shape: 'lines' | 'bars';
  labels: string[];
  series: { name: string; values: (number | null)[] }[];
  text: (value: number) => string;
  /** Which label the pointer is over; none when it left. */
  pointed: (index: number | undefined) => void;
}

const HEIGHT_PX = 300;
const LABEL_PX = 76;

function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Bars stand side by side, a gap after each group; points of lines stand one after the other. */
function positions(plot: Plot): { x: number[]; data: (number | null)[][]; centres: number[] } {
  const [labels, lines] = [plot.labels.length, plot.series.length];
  if (plot.shape === 'lines') {
    const x = plot.labels.map((_, index) => index);
    return { x, data: plot.series.map((one) => one.values), centres: x };
  }
  const step = lines + 1;
  const x = Array.from({ length: labels * step }, (_, slot) => slot);
  const data = plot.series.map((one, line) =>
    x.map((slot) => (slot % step === line ? (one.values[Math.floor(slot / step)] ?? null) : null)),
  );
  return { x, data, centres: plot.labels.map((_, index) => index * step + (lines - 1) / 2) };
}

/** Draws into `place` and keeps to its width; the answer takes it away again. */
export function draw(place: HTMLElement, plot: Plot): () => void {
  const { x, data, centres } = positions(plot);
  const step = plot.shape === 'bars' ? plot.series.length + 1 : 1;
  const [ink, line] = [token('--ink-soft'), token('--line-soft')];
  const font = `12px ${getComputedStyle(document.body).fontFamily}`;
  const axis = { stroke: ink, font, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
  const width = () => Math.max(240, place.clientWidth);
  const bars = uPlot.paths.bars?.({ size: [0.9, 60] });
  const options: uPlot.Options = {
    width: width(),
    height: HEIGHT_PX,
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, y: false },
    scales: {
      x: { time: false, range: () => [(x[0] ?? 0) - 0.6, (x.at(-1) ?? 0) + 0.6] },
      y: { range: (_u, least, most) => [Math.min(0, least ?? 0), most > 0 ? most * 1.08 : 1] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        splits: (u) => {
          const every = Math.max(1, Math.ceil((centres.length * LABEL_PX) / Math.max(1, u.width - 80)));
          return centres.filter((_, index) => index % every === 0);
        },
        values: (_u, splits) => splits.map((split) => plot.labels[centres.indexOf(split)] ?? ''),
      },
      { ...axis, size: 84, values: (_u, splits) => splits.map(plot.text) },
    ],
    series: [
      {},
      ...plot.series.map((one, index) => {
        const colour = token(`--series-${index + 1}`);
        return plot.shape === 'bars'
          ? {
              label: one.name,
              stroke: colour,
              fill: colour,
              width: 0,
              ...(bars && { paths: bars }),
              points: { show: false },
            }
          : {
              label: one.name,
              stroke: colour,
              width: 2,
              dash: [...(DASHES[index] ?? [])],
              points: { show: plot.labels.length < 40, size: 5 },
            };
      }),
    ],
    hooks: {
      setCursor: [
        (u) =>
          plot.pointed(
            u.cursor.idx == null ? undefined : Math.min(plot.labels.length - 1, Math.floor(u.cursor.idx / step)),
          ),
      ],
    },
  };
  const drawn = new uPlot(options, [x, ...data] as uPlot.AlignedData, place);
  const sized = new ResizeObserver(() => {
    if (width() !== drawn.width) drawn.setSize({ width: width(), height: HEIGHT_PX });
  });
  sized.observe(place);
  return () => {
    sized.disconnect();
    drawn.destroy();
  };
}
