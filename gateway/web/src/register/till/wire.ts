// One exchange with the gateway, with a token that is fetched when it is needed. Mirrors `pos-protocol/src/client/wire.rs`.
//
// What comes out is a `Reply`; what it means is decided by the machine. A browser does not say whether a request that failed had left,
// so a failed request counts as sent: that costs a question, and never a point.

import { call, NoAnswer, Problem } from '../../kit/api.ts';
import type { Json } from './message.ts';
import type { Settings } from './settings.ts';
import { Skew } from './skew.ts';
import type { Exchange, Reply } from './step.ts';

/** How the till proves itself; the client's id names the terminal. */
export interface Account {
  clientId: string;
  clientSecret: string;
}

/** A token is not used for the last tenth of its life. */
const TOKEN_LIFE_USED = 0.9;

type Token = { text: string; goodUntil: number };

export class Wire {
  readonly skew = new Skew();
  #token: Token | undefined;
  #fetching: Promise<Token | Reply> | undefined;

  constructor(
    private readonly account: Account,
    private readonly settings: Settings,
    private readonly uptime: () => number,
  ) {}

  /** One try, with a second one if the token had ended. Never throws. */
  async exchange(exchange: Exchange): Promise<Reply> {
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const token = await this.#tokenOrReply();
      if ('reply' in token) return token;
      const reply = await this.#send(exchange, token.text);
      if (reply.reply !== 'http' || reply.status !== 401) return reply;
      if (this.#token === token) this.#token = undefined;
    }
    return { reply: 'operator', what: '401 invalid_token' };
  }

  /** Whether the gateway takes this account; says what is wrong with it otherwise. */
  async check(): Promise<Reply | undefined> {
    const token = await this.#tokenOrReply();
    return 'reply' in token ? token : undefined;
  }

  async #send({ requestId, request }: Exchange, token: string): Promise<Reply> {
    const headers = { authorization: `Bearer ${token}` };
    const deadline_ms = this.settings.attempt;
    return request
      ? this.#http(request.path, { method: 'POST', body: request.body, headers, deadline_ms })
      : this.#http(`/v1/pos/requests/${encodeURIComponent(requestId)}`, { headers, deadline_ms });
  }

  async #http(path: string, init: Parameters<typeof call>[1]): Promise<Reply> {
    try {
      const answer = await call<Json>(path, init);
      this.#heard(answer.headers, answer.asked_at, answer.answered_at);
      return { reply: 'http', status: answer.status, body: answer.body };
    } catch (error) {
      if (error instanceof Problem) return this.#refused(error);
      if (error instanceof NoAnswer) return { reply: 'lost' };
      throw error;
    }
  }

  #refused(problem: Problem): Reply {
    // `type` is put together again from its stable word, which the machine reads. Whatever is no problem document did not
    // come from the gateway.
    const ours = /problem\+json/.test(problem.headers.get('content-type') ?? '');
    const body = ours ? { type: `/problems/${problem.word}`, detail: problem.detail } : undefined;
    return { reply: 'http', status: problem.status, body, retryAfter: this.#retryAfter(problem) };
  }

  /** No longer than a pause of the till's own: what the gateway asks for may be anything, and a timer ends at 2^31 ms. */
  #retryAfter({ retry_after_s }: Problem): number | undefined {
    return retry_after_s === undefined ? undefined : Math.min(retry_after_s * 1_000, this.settings.backoffMax);
  }

  #heard(headers: Headers, sent: number, received: number): void {
    this.skew.heard(Date.parse(headers.get('date') ?? ''), sent, received);
  }

  async #tokenOrReply(): Promise<Token | Reply> {
    if (this.#token && this.#token.goodUntil > this.uptime()) return this.#token;
    this.#fetching ??= this.#fetchToken().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #fetchToken(): Promise<Token | Reply> {
    const form = {
      grant_type: 'client_credentials',
      scope: 'pos',
      client_id: this.account.clientId,
      client_secret: this.account.clientSecret,
    };
    const since = this.uptime();
    try {
      const { body } = await call<{ access_token?: string; expires_in?: number }>('/oauth/token', {
        method: 'POST',
        form,
        deadline_ms: this.settings.attempt,
      });
      if (!body.access_token || !body.expires_in) return { reply: 'not_sent' };
      this.#token = { text: body.access_token, goodUntil: since + body.expires_in * 1_000 * TOKEN_LIFE_USED };
      return this.#token;
    } catch (error) {
      if (!(error instanceof Problem)) return { reply: 'not_sent' };
      if (error.status === 429 || error.status >= 500) {
        return { reply: 'not_sent', retryAfter: this.#retryAfter(error) };
      }
      return { reply: 'operator', what: `${this.account.clientId}: ${error.status} ${error.word}` };
    }
  }
}
