// How the gateway is, read again every few seconds while somebody looks, and the letters it could not deliver.

import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { integer } from '../../kit/format.ts';
import { language } from '../../kit/i18n.ts';
import type { Health as HealthAnswer } from '../answers.ts';
import { Show, useLoaded } from '../parts/loaded.tsx';
import { Screen } from '../parts/screen.tsx';
import { Table } from '../parts/table.tsx';
import { ask, ended, may } from '../session.ts';
import { watch as words } from '../words/watch.ts';
import { DeadLetters } from './dead-letters.tsx';

const REFRESH_MS = 5_000;

/** Runs it again and again, one after the other, while the page is in sight and nobody has to sign in first. */
function useWhileLooked(run: () => Promise<void>): void {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    let left = false;
    const again = async () => {
      clearTimeout(timer);
      if (document.visibilityState === 'visible' && !ended.value) await run();
      if (!left) timer = setTimeout(again, REFRESH_MS);
    };
    const seen = () => void again();
    timer = setTimeout(again, REFRESH_MS);
    document.addEventListener('visibilitychange', seen);
    return () => {
      left = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', seen);
    };
  }, [run]);
}

export function Health() {
  const w = words();
  const loaded = useLoaded('health', (signal) => ask<HealthAnswer>('health', {}, { signal }));
  useWhileLooked(loaded.reload);
  return (
    <Screen title={w.health}>
      {loaded.error !== undefined && loaded.data && <p class="note warn">{w.stale}</p>}
      <Show of={loaded}>{(health) => <State health={health} />}</Show>
      {may('deadLetters') && <DeadLetters dead={loaded.data?.inbox.dead ?? 0} reread={() => void loaded.reload()} />}
    </Screen>
  );
}

/** To the second, so that one sees it is fresh. */
function clock(at: string): string {
  return new Date(at).toLocaleTimeString(language.value === 'ja' ? 'ja-JP' : 'en-GB');
}

interface LightProps {
  name: string;
  good: boolean;
  word: string;
  /** Not good is nothing to act on at once. */
  mild?: boolean;
  children?: ComponentChildren;
}

function Light({ name, good, word, mild = false, children }: LightProps) {
  return (
    <div class="panel light">
      <h2>{name}</h2>
      <p>
        <span class={`badge ${good ? 'good' : mild ? 'warn' : 'bad'}`}>{word}</span>
      </p>
      {children && <div class="hint">{children}</div>}
    </div>
  );
}

function State({ health }: { health: HealthAnswer }) {
  const w = words();
  const { database, writer, outbox, relay, inbox } = health;
  const oldest = (seconds: number | null | undefined) =>
    seconds == null ? null : (
      <p>
        {w.oldest}: {w.age(integer(seconds))}
      </p>
    );
  return (
    <>
      <p class="hint">{w.asOf(clock(health.at))}</p>
      {outbox.alarm && (
        <p class="note bad" role="alert">
          {w.alarm}
        </p>
      )}
      <div class="lights">
        <Light name={w.ready} good={health.ready} word={health.ready ? w.isReady : w.notReady}>
          {w.programme}: {integer(health.programme_version)}
        </Light>
        <Light name={w.database} good={database.ok} word={database.ok ? w.works : w.away}>
          {database.kind}
          {database.answer_ms != null && ` · ${w.answers(integer(database.answer_ms))}`}
        </Light>
        <Light name={w.writer} good={writer.ok} word={writer.ok ? w.works : w.stopped} />
        <Light name={w.outbox} good={!outbox.alarm} word={integer(outbox.waiting)}>
          {oldest(outbox.oldest_age_seconds)}
        </Light>
        <Light name={w.relay} good={relay.held} mild word={relay.held ? w.relayed : w.notRelayed} />
        <Light name={w.inbox} good word={integer(inbox.waiting)}>
          {oldest(inbox.oldest_age_seconds)}
        </Light>
        <Light name={w.deadTitle} good={inbox.dead === 0} word={integer(inbox.dead)} />
      </div>
      <section class="panel">
        <h2>{w.lanes}</h2>
        <Table
          caption={w.lanes}
          rows={writer.lanes}
          keyOf={(lane) => String(lane.lane)}
          columns={[
            { name: w.lane, heads: true, cell: (lane) => integer(lane.lane) },
            { name: w.waiting, number: true, cell: (lane) => integer(lane.waiting) },
            { name: w.capacity, number: true, cell: (lane) => integer(lane.capacity) },
          ]}
        />
      </section>
    </>
  );
}
