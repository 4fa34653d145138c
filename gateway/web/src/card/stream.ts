// The gateway's events as they happen. `EventSource` cannot send a proof, so the stream is read with `fetch`: parsed as
// the HTML standard says, connected again when it ends, with the place it had come to.

export interface StreamMessage {
  event: string;
  data: string;
  id: string;
}

/** Cuts a stream of text into messages. */
export class EventParser {
  private rest = '';
  private event = '';
  private data: string[] = [];
  private id = '';

  /** The messages that are whole with this piece. */
  push(piece: string): StreamMessage[] {
    const lines = (this.rest + piece).split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop() ?? '';
    return lines.flatMap((line) => this.line(line));
  }

  private line(line: string): StreamMessage[] {
    if (line === '') {
      const message = { event: this.event || 'message', data: this.data.join('\n'), id: this.id };
      const whole = this.data.length > 0;
      this.event = '';
      this.data = [];
      return whole ? [message] : [];
    }
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.event = value;
    else if (field === 'data') this.data.push(value);
    else if (field === 'id') this.id = value;
    return [];
  }
}

export interface StreamOptions {
  /** Asks for the stream after a position; throws what `call` throws. */
  open: (position: string | undefined, signal: AbortSignal) => Promise<Response>;
  position: () => string | undefined;
  message: (message: StreamMessage) => void;
  /** Whether there is a connection. */
  connected: (connected: boolean) => void;
  /** Whether to give up for good after this. */
  final: (error: unknown) => boolean;
}

/** The gateway sends something at least every 15 s; after this long in silence the line is dead. */
const SILENCE_MS = 40_000;
const WAIT_MS_MAX = 30_000;
/** A stream that ends sooner is not asked for again at once: whoever ends it may do so each time. */
const SOON_MS = 5_000;
const SOON_WAIT_MS = 1_000;

/** Follows the stream until `signal`. */
export async function follow(options: StreamOptions, signal: AbortSignal): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    const began = performance.now();
    try {
      await read(options, signal, () => {
        failures = 0;
      });
    } catch (error) {
      if (signal.aborted) return;
      options.connected(false);
      if (options.final(error)) return;
      failures += 1;
    }
    const least = performance.now() - began < SOON_MS ? SOON_WAIT_MS : 0;
    if (!signal.aborted) await pause(failures === 0 ? least : Math.min(WAIT_MS_MAX, 500 * 2 ** failures), signal);
  }
}

async function read(options: StreamOptions, signal: AbortSignal, alive: () => void): Promise<void> {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), SILENCE_MS);
  const hear = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(), SILENCE_MS);
  };
  try {
    const response = await options.open(options.position(), AbortSignal.any([signal, silence.signal]));
    if (!response.body) return;
    const parser = new EventParser();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    options.connected(true);
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      hear();
      alive();
      for (const message of parser.push(value)) options.message(message);
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Waits, but not past the end, nor when the network comes back. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      globalThis.removeEventListener('online', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    globalThis.addEventListener('online', done);
    signal.addEventListener('abort', done);
  });
}
