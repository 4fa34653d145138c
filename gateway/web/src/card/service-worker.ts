// Keeps the card page on the phone, so that it opens with no network, for as long as wanted.
//
// The shell is every file of one build, kept under the build's version. A new build is fetched whole before it takes
// over, so a page never gets files of two builds. Calls to the gateway are never answered from here.

/** Put in by the build. */
declare const __VERSION__: string;
declare const __SHELL__: string[];

const worker = self as unknown as ServiceWorkerGlobalScope;
const PREFIX = 'card-';
const CACHE = PREFIX + __VERSION__;
const PAGE = '/card';

worker.addEventListener('install', (event) => {
  event.waitUntil(fill());
});

// The page says when: see `update.ts`. The first worker waits for nobody.
worker.addEventListener('message', (event) => {
  if (event.data === 'take-over') event.waitUntil(worker.skipWaiting());
});

async function fill(): Promise<void> {
  const cache = await caches.open(CACHE);
  // Past the browser's own cache: it may hold an older page.
  await cache.addAll(__SHELL__.map((path) => new Request(path, { cache: 'reload' })));
}

worker.addEventListener('activate', (event) => {
  event.waitUntil(clear().then(() => worker.clients.claim()));
});

async function clear(): Promise<void> {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
}

worker.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== worker.location.origin) return;
  const path =
    request.mode === 'navigate' && (url.pathname === PAGE || url.pathname === `${PAGE}/`) ? PAGE : url.pathname;
  if (__SHELL__.includes(path)) event.respondWith(kept(path, request));
});

async function kept(path: string, request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  return (await cache.match(path)) ?? fetch(request);
}
