// A real gateway with the demo's data, on a free port and a fresh folder. It can be stopped and started again on the
// same port, to show what a page does meanwhile.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const START_MS = 60_000;
const root = join(import.meta.dirname, '..', '..', '..');

function binary(): string {
  const path = process.env['GATEWAY_BIN'] ?? join(root, 'target', 'debug', 'gateway');
  if (!existsSync(path)) throw new Error(`no gateway at ${path}: build it, or name it in GATEWAY_BIN`);
  return path;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

export class Gateway {
  private child: ChildProcess | undefined;
  /** What it wrote, to show when something fails, and for the codes that the demo sends to its log. */
  log = '';

  private constructor(
    readonly port: number,
    readonly folder: string,
    private readonly more: readonly string[],
  ) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  static async start(more: readonly string[] = []): Promise<Gateway> {
    const folder = await mkdtemp(join(tmpdir(), 'gateway-e2e-'));
    const gateway = new Gateway(await freePort(), folder, more);
    await gateway.start();
    return gateway;
  }

  /** Starts it, or starts it again. */
  async start(): Promise<void> {
    const web = process.env['GATEWAY_WEB_DIR'] ?? join(import.meta.dirname, '..', 'dist');
    const args = ['demo', '--listen', `127.0.0.1:${this.port}`, '--data', join(this.folder, 'data')];
    // Empty: the pages in the binary.
    if (web !== '') args.push('--web', web);
    const child = spawn(binary(), [...args, ...this.more], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    const read = (bytes: Buffer): void => {
      this.log += bytes.toString();
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    const until = Date.now() + START_MS;
    while (!(await this.ready())) {
      if (child.exitCode !== null || Date.now() > until) throw new Error(`the gateway does not start:\n${this.log}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  private async ready(): Promise<boolean> {
    try {
      return (await fetch(`${this.url}/readyz`)).ok;
    } catch {
      return false;
    }
  }

  /** Stops it; what it stored stays. */
  async stop(): Promise<void> {
    const child = this.child;
    this.child = undefined;
    if (!child || child.exitCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  async close(): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** An access token of one of the demo's clients. */
  async token(client = 'till-1'): Promise<string> {
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: client,
      client_secret: `demo-${client}-secret`,
    });
    const response = await fetch(`${this.url}/oauth/token`, { method: 'POST', body });
    const answer = (await response.json()) as { access_token: string };
    return answer.access_token;
  }
}
