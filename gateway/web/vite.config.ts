// How the pages are built: three entries, hashed assets, nothing inline, and everything compressed once, here.

import { resolve } from 'node:path';
import { defineConfig, type Plugin } from 'vite';
import { precompress } from './scripts/precompress.ts';
import { serviceWorker } from './scripts/service-worker.ts';

const PAGES = ['card', 'register', 'console'];
/** The gateway that the development server passes calls on to. */
const GATEWAY = process.env['GATEWAY_URL'] ?? 'http://127.0.0.1:8080';

/** `/card` is a page, as the gateway serves it; Vite alone knows only `/card/`. */
function pageAddresses(): Plugin {
  return {
    name: 'page-addresses',
    configureServer(server) {
      server.middlewares.use((request, _response, next) => {
        const url = new URL(request.url ?? '/', 'http://localhost');
        if (PAGES.includes(url.pathname.slice(1))) request.url = `${url.pathname}/index.html${url.search}`;
        next();
      });
    },
  };
}

const root = import.meta.dirname;

export default defineConfig({
  root,
  appType: 'mpa',
  plugins: [pageAddresses(), serviceWorker({ entry: 'src/card/service-worker.ts', page: 'card' }), precompress()],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: Object.fromEntries(PAGES.map((page) => [page, resolve(root, page, 'index.html')])),
    },
  },
  server: { proxy: Object.fromEntries(['/v1', '/oauth', '/.well-known'].map((path) => [path, GATEWAY])) },
});
