// What keeps the card alive while it is looked at: the stream of events, the balance, notices, the screen that stays on.
// A hidden page does nothing; when it is shown again it catches up from where it was.

import { effect, signal, untracked } from '@preact/signals';
import { Problem } from '../kit/api.ts';
import { type GatewayEvent, isAtTheTill, type Notice, noticeOf } from './happenings.ts';
import {
  askStream,
  clock,
  history,
  keepClock,
  kept,
  me,
  notices,
  online,
  phase,
  refresh,
  showClock,
  stores,
  trust,
} from './session.ts';
import { follow, type StreamMessage } from './stream.ts';
import { alone } from './vault.ts';

const NOTICES_MAX = 100;
/** An event older than this was caught up on: it is a notice, not something that happens now. */
const NOW_MS = 30_000;
/** How long what happened waits for the name of its store. */
const NAME_MS = 1_000;
/** How soon a step of the phone's clock is noticed. */
const LOOK_MS = 1_000;

/** What just happened at the till. */
export const happening = signal<Notice | undefined>(undefined);
/** Counts what happened to the card's points, for whoever shows something that it changes. */
export const changes = signal(0);
export const visible = signal(document.visibilityState === 'visible');

let position: string | undefined;
let queue = Promise.resolve();
let waiting = 0;

export function start(): void {
  document.addEventListener('visibilitychange', () => {
    const shown = document.visibilityState === 'visible';
    if (shown) {
      clock.show();
    } else {
      clock.hide();
      keepClock();
    }
    showClock();
    visible.value = shown;
  });
  if (!visible.value) clock.hide();
  addEventListener('offline', () => {
    online.value = false;
  });
  addEventListener('online', () => void refresh().catch(() => undefined));
  effect(() => {
    if (!visible.value) return;
    const timer = setInterval(showClock, LOOK_MS);
    return () => clearInterval(timer);
  });
  effect(() => {
    const asks = visible.value && online.value && trust.value === 'unsure';
    if (asks) untracked(() => void refresh().catch(() => undefined));
  });
  effect(() => {
    if (!visible.value || phase.value !== 'card') return;
    const stop = new AbortController();
    void live(stop.signal);
    return () => stop.abort();
  });
}

async function live(stop: AbortSignal): Promise<void> {
  position = await kept()
    .get('position')
    .catch(() => position);
  await refresh().catch(() => undefined);
  if (stop.aborted || phase.value !== 'card') return;
  const newest = me.value?.me.stream_position;
  if (!position && newest) {
    position = newest;
    await keepPosition(newest);
  }
  await follow(
    {
      open: askStream,
      position: () => position,
      message: receive,
      connected: (connected) => {
        // A stream that ends tells nothing of the network; one that cannot be opened does.
        online.value = connected;
      },
      final: (error) => error instanceof Problem && !error.passes,
    },
    stop,
  );
}

/** One after the other: a notice is read, added to and written. */
function receive(message: StreamMessage): void {
  waiting += 1;
  queue = queue.then(() => take(message)).catch(() => undefined);
}

async function take(message: StreamMessage): Promise<void> {
  waiting -= 1;
  position = message.id || position;
  if (message.event === 'hello') return;
  const notice = noticeOf(JSON.parse(message.data) as GatewayEvent);
  // A phone with no room tells what happened all the same.
  if (notice) await note(notice).catch(() => undefined);
  if (position) await keepPosition(position);
  // Of many that were missed, the last brings the balance.
  if (waiting > 0) return;
  await refresh().catch(() => undefined);
  if (notice?.store && !stores.value[notice.store]) await history().catch(() => undefined);
  changes.value += 1;
}

async function keepPosition(now: string): Promise<void> {
  await kept()
    .put('position', now)
    .catch(() => undefined);
}

/** Events name a store by its id. What it is called is asked for first, but not for long. */
async function learnStore(store: string): Promise<void> {
  if (stores.value[store]) return;
  const late = new Promise<void>((resolve) => setTimeout(resolve, NAME_MS));
  await Promise.race([history({ limit: '1' }).catch(() => undefined), late]);
}

/** Keeps a notice, and shows it at once if it is of the basket the shopper stands at the till with. */
async function note(notice: Notice): Promise<void> {
  if (isAtTheTill(notice) && Math.abs(clock.now() - Date.parse(notice.at)) < NOW_MS) {
    if (notice.store) await learnStore(notice.store);
    happening.value = notice;
  }
  await alone('notices', async () => {
    const known = (await kept().get('notices')) ?? [];
    const isNew = !known.some((other) => other.id === notice.id);
    notices.value = isNew ? [notice, ...known].slice(0, NOTICES_MAX) : known;
    if (isNew) await kept().put('notices', [...notices.value]);
  });
}
