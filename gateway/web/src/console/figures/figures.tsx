// The figures: one at a time, as a chart and as the table it is drawn from, with its definition and its file.

import { useState } from 'preact/hooks';

import { fetchFile, save } from '../../kit/download.ts';
import { instant } from '../../kit/format.ts';
import type { Cell, Figure } from '../answers.ts';
import { target } from '../calls.ts';
import { Fault } from '../parts/fault.tsx';
import { Choice, TextField } from '../parts/field.tsx';
import { Show, useLoaded } from '../parts/loaded.tsx';
import { Screen } from '../parts/screen.tsx';
import { Table } from '../parts/table.tsx';
import { go, tell } from '../place.ts';
import { FIGURES, type FigureName, format, type Period } from '../routes.ts';
import { ask, withToken } from '../session.ts';
import { figures as words } from '../words/figures.ts';
import { cellText, columnName, isNumber } from './cells.ts';
import { ChartView } from './chart-view.tsx';
import { chart, chooses, csvName, DRAWINGS, overTime } from './series.ts';

export function Figures({ figure, period }: { figure: FigureName; period: Period }) {
  const w = words();
  const timed = overTime(figure);
  const query: Period = timed ? period : {};
  const key = `${figure} ${JSON.stringify(query)}`;
  const loaded = useLoaded(key, (signal) => ask<Figure>('figure', { figure }, { query: { ...query }, signal }));
  return (
    <Screen title={w.title}>
      <nav aria-label={w.which}>
        <ul class="plain tabs">
          {FIGURES.map((one) => (
            <li key={one}>
              <a
                href={format({ at: 'figures', figure: one, period: overTime(one) ? period : {} })}
                {...(one === figure && { 'aria-current': 'page' as const })}
              >
                {w.names[one]}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <section class="panel">
        <h2>{w.names[figure]}</h2>
        <p>{w.definitions[figure]}</p>
        {loaded.data && <Definition link={loaded.data.definition} />}
        {timed && <PeriodForm key={key} figure={figure} period={period} shown={loaded.data} />}
      </section>
      <Show of={loaded}>{(answer) => <FigureView key={figure} figure={figure} answer={answer} query={query} />}</Show>
    </Screen>
  );
}

/** Only a link to a page is a link. */
function Definition({ link }: { link: string }) {
  if (!/^(https?:\/\/|\/(?!\/))/.test(link)) return null;
  return (
    <p>
      <a href={link} target="_blank" rel="noopener noreferrer">
        {words().definition}
      </a>
    </p>
  );
}

interface PeriodFormProps {
  figure: FigureName;
  period: Period;
  /** What the gateway took where nothing was chosen. */
  shown: Figure | undefined;
}

function PeriodForm({ figure, period, shown }: PeriodFormProps) {
  const w = words();
  const [by, setBy] = useState(period.by ?? 'month');
  const [from, setFrom] = useState(period.from);
  const [to, setTo] = useState(period.to);
  const [fault, setFault] = useState<string>();
  const first = from ?? shown?.from ?? '';
  const last = to ?? shown?.to ?? '';
  const chosen = period.by ?? period.from ?? period.to;
  return (
    <form
      class="period"
      aria-label={w.period}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (first && last && first > last) {
          setFault(w.backwards);
          return;
        }
        // Days that nobody chose are the gateway's: another unit has another usual range.
        go({ at: 'figures', figure, period: { by, ...(from && { from }), ...(to && { to }) } });
      }}
    >
      <Choice
        label={w.by}
        value={by}
        options={[
          ['month', w.month],
          ['day', w.day],
        ]}
        change={setBy}
      />
      <TextField label={w.from} type="date" value={first} change={setFrom} fault={fault} />
      <TextField label={w.to} type="date" value={last} change={setTo} />
      <button type="submit">{w.apply}</button>
      {chosen && <a href={format({ at: 'figures', figure, period: {} })}>{w.reset}</a>}
    </form>
  );
}

interface FigureViewProps {
  figure: FigureName;
  answer: Figure;
  query: Period;
}

function FigureView({ figure, answer, query }: FigureViewProps) {
  const w = words();
  const name = w.names[figure];
  const { measures } = DRAWINGS[figure];
  const [measure, setMeasure] = useState(measures[0] ?? '');
  const drawn = chart(figure, answer, measure);
  const nothing = answer.rows.length === 0;
  return (
    <>
      <section class="panel">
        <div class="row apart">
          <h2>{w.chart}</h2>
          <p class="hint">{w.generated(instant(answer.generated_at))}</p>
        </div>
        {chooses(figure) && (
          <div class="narrow">
            <Choice
              label={w.measure}
              value={measure}
              options={measures.map((one) => [one, columnName(one)] as const)}
              change={setMeasure}
            />
          </div>
        )}
        {nothing ? <p class="hint">{w.nothing}</p> : <ChartView figure={figure} name={name} chart={drawn} />}
      </section>
      <section class="panel">
        <div class="row apart">
          <h2>{w.table}</h2>
          <Download figure={figure} answer={answer} query={query} />
        </div>
        <Table<{ cells: Cell[]; index: number }>
          caption={w.tableOf(name)}
          rows={answer.rows.map((cells, index) => ({ cells, index }))}
          keyOf={(row) => String(row.index)}
          columns={answer.columns.map((column, index) => ({
            name: columnName(column.name),
            heads: index === 0,
            number: isNumber(column.kind),
            cell: (row) => cellText(column.name, column.kind, row.cells[index]),
          }))}
        />
      </section>
    </>
  );
}

function Download({ figure, answer, query }: FigureViewProps) {
  const w = words();
  const [error, setError] = useState<unknown>();
  const download = async () => {
    setError(undefined);
    try {
      const { path } = target('figure', { figure }, { ...query, format: 'csv' });
      const file = await withToken('figure', (token) =>
        fetchFile(path, { authorization: `Bearer ${token}`, accept: 'text/csv' }),
      );
      save(file, csvName(answer, overTime(figure)));
      tell(w.saved);
    } catch (refused) {
      setError(refused);
    }
  };
  return (
    <>
      <button type="button" onClick={() => void download()}>
        {w.csv}
      </button>
      {error !== undefined && <Fault error={error} />}
    </>
  );
}
