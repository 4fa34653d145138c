// What happened to the points, newest first, each with its why on demand.

import { useEffect, useState } from 'preact/hooks';
import { day, signed, time } from '../../kit/format.ts';
import { language } from '../../kit/i18n.ts';
import { Fault, useAction } from '../action.tsx';
import type { Entry, Explanation } from '../gateway.ts';
import { changes } from '../live.ts';
import { ask, history as readHistory, storeName } from '../session.ts';
import { words } from '../words.ts';
import { Frame } from './frame.tsx';

export function History() {
  const { history, loading } = words();
  const [entries, setEntries] = useState<Entry[]>();
  const [next, setNext] = useState<string>();
  const action = useAction();
  const read = (before?: string): Promise<void> =>
    action.run(async () => {
      const page = await readHistory(before ? { before } : {});
      setEntries((old) => (before ? [...(old ?? []), ...page.entries] : page.entries));
      setNext(page.next);
    });
  useEffect(() => {
    void read();
  }, [changes.value]);
  return (
    <Frame title={history.title}>
      {action.busy && !entries && <p role="status">{loading}</p>}
      {entries?.length === 0 && <p class="panel">{history.none}</p>}
      {entries && entries.length > 0 && (
        <ul class="plain panel entries">
          {entries.map((entry) => (
            <EntryRow key={entry.id} entry={entry} />
          ))}
        </ul>
      )}
      <Fault action={action} />
      {action.fault && (
        <button type="button" onClick={() => read()}>
          {words().again}
        </button>
      )}
      {next && (
        <button type="button" aria-disabled={action.busy} onClick={() => read(next)}>
          {history.more}
        </button>
      )}
    </Frame>
  );
}

function motiveText(motive: string): string {
  const { motives } = words();
  return (motives as Record<string, string>)[motive] ?? motive;
}

function EntryRow({ entry }: { entry: Entry }) {
  const { history } = words();
  const [open, setOpen] = useState(false);
  const motive = motiveText(entry.motive);
  return (
    <li class="entry">
      <div class="row apart">
        <div>
          <p class="entry-name">{motive}</p>
          <p class="hint">
            {day(entry.business_date)} {time(entry.at)} {entry.store && storeName(entry.store)}
          </p>
        </div>
        <div class="row">
          <span class={`number change ${entry.change < 0 ? 'less' : 'more'}`}>{signed(entry.change)}</span>
          <button
            type="button"
            class="small"
            aria-expanded={open}
            aria-label={open ? undefined : history.whyOf(motive, entry.business_date)}
            onClick={() => setOpen(!open)}
          >
            {open ? history.hide : history.why}
          </button>
        </div>
      </div>
      {open && <Why entry={entry.id} />}
    </li>
  );
}

function Why({ entry }: { entry: string }) {
  const [why, setWhy] = useState<Explanation>();
  const action = useAction();
  useEffect(() => {
    void action.run(async () => setWhy(await ask<Explanation>(`/v1/me/why/${entry}`)));
  }, []);
  return (
    <div class="why">
      {action.busy && <p role="status">{words().loading}</p>}
      <Fault action={action} />
      {why && (
        <ul>
          {why.lines.map((line, index) => (
            <li key={`${index} ${line.about}`}>{line[language.value]}</li>
          ))}
        </ul>
      )}
    </div>
  );
}
