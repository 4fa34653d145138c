// Calls to the gateway. Every call ends in one of three ways: an answer, a `Problem` (the gateway said no), or
// `NoAnswer` (nobody knows whether the gateway heard it). Who calls must treat the last as an unknown outcome.

export interface Call {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Sent as JSON. */
  body?: unknown;
  /** Sent as a form, for `/oauth/token`. */
  form?: Record<string, string>;
  headers?: Record<string, string>;
  /** How long to wait for the whole answer. */
  deadline_ms?: number;
  signal?: AbortSignal;
}

export interface Answer<T> {
  status: number;
  body: T;
  headers: Headers;
  /** When it was asked and answered on this machine's clock, in milliseconds. */
  asked_at: number;
  answered_at: number;
}

export const DEADLINE_MS = 10_000;

/** RFC 9457 problem details, as the gateway sends them. */
export class Problem extends Error {
  override readonly name = 'Problem';
  constructor(
    readonly status: number,
    /** The stable word at the end of `type`, for example `rate_limited`. */
    readonly word: string,
    readonly detail: string,
    readonly headers: Headers,
    /** When the answer came, on this machine's clock, in milliseconds. */
    readonly answered_at: number,
    /** Pointers into the body and what is wrong there. */
    readonly errors: readonly { pointer: string; detail: string }[] = [],
    readonly request_id?: string,
  ) {
    super(`${status} ${word}: ${detail}`);
  }

  /** Whether the same request may succeed later, unchanged. */
  get passes(): boolean {
    return this.status >= 500 || this.status === 429 || this.status === 408;
  }

  /** The stable word that a `conflict` begins with, for example `unknown_code`. */
  get rule(): string {
    return this.word === 'conflict' ? (this.detail.split(':')[0] ?? '') : '';
  }

  /** How long the gateway asks to wait, in seconds. */
  get retry_after_s(): number | undefined {
    const seconds = Number(this.headers.get('retry-after') ?? Number.NaN);
    return Number.isFinite(seconds) ? seconds : undefined;
  }
}

/** No answer came: no network, the deadline passed, or the answer broke off. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  constructor(
    /** Why, as far as the browser says. */
    readonly why: 'deadline' | 'cancelled' | 'network',
    cause?: unknown,
  ) {
    super(why, { cause });
  }
}

/** Sends one request and reads the whole answer. */
export async function call<T = unknown>(path: string, request: Call = {}): Promise<Answer<T>> {
  const deadline = AbortSignal.timeout(request.deadline_ms ?? DEADLINE_MS);
  const signal = request.signal ? AbortSignal.any([deadline, request.signal]) : deadline;
  const asked_at = Date.now();
  let response: Response;
  let text: string;
  try {
    response = await fetch(path, {
      ...content(request),
      signal,
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
    });
    text = await response.text();
  } catch (error) {
    throw new NoAnswer(deadline.aborted ? 'deadline' : signal.aborted ? 'cancelled' : 'network', error);
  }
  const answered_at = Date.now();
  const body = parsed(text);
  if (!response.ok) throw problem(response, body, answered_at);
  if (text !== '' && body === undefined) throw new NoAnswer('network', 'the answer is not JSON');
  return { status: response.status, body: body as T, headers: response.headers, asked_at, answered_at };
}

function content(request: Call): RequestInit {
  const headers = new Headers(request.headers);
  headers.set('accept', 'application/json');
  const init: RequestInit = { method: request.method ?? 'GET', headers };
  if (request.form) {
    init.body = new URLSearchParams(request.form);
  } else if (request.body !== undefined) {
    headers.set('content-type', 'application/json');
    init.body = JSON.stringify(request.body);
  }
  return init;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Reads a refusal; one that is no problem document comes from something between here and the gateway. */
export function problem(response: Response, body: unknown, answered_at: number): Problem {
  const told = (typeof body === 'object' && body !== null ? body : {}) as Partial<Record<string, unknown>>;
  const text = (name: string): string | undefined => (typeof told[name] === 'string' ? told[name] : undefined);
  const word = text('type')?.split('/').pop() ?? (response.status >= 500 ? 'unavailable' : 'bad_request');
  const errors = Array.isArray(told['errors']) ? told['errors'] : [];
  return new Problem(
    response.status,
    word,
    text('detail') ?? '',
    response.headers,
    answered_at,
    errors,
    text('request_id'),
  );
}
