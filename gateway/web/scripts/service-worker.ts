// Builds a page's service worker: one file without imports that knows the names of everything the page needs offline.
//
// Its version is a hash over those files, so a changed page is a changed worker, which browsers notice by themselves.

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Plugin, type Rolldown, transformWithOxc } from 'vite';

/** `page`: its folder, which is also its address. The worker is `/PAGE-worker.js`, so that its scope may be `/PAGE`. */
export function serviceWorker({ entry, page }: { entry: string; page: string }): Plugin {
  let root = '';
  return {
    name: 'service-worker',
    apply: 'build',
    configResolved(config) {
      root = config.root;
    },
    generateBundle: {
      order: 'post',
      async handler(_options, bundle) {
        const html = bundle[`${page}/index.html`];
        if (html?.type !== 'asset') throw new Error(`${page}/index.html is not built`);
        const needed = filesOf(bundle, page);
        const hash = createHash('sha256').update(html.source).update(needed.join('\n'));
        const paths = [`/${page}`, ...needed.map((file) => `/${file}`)];
        for (const name of await readdir(join(root, 'public', page))) {
          hash.update(await readFile(join(root, 'public', page, name)));
          paths.push(`/${page}/${name}`);
        }
        const source = await readFile(join(root, entry), 'utf8');
        const version = hash.update(source).digest('hex').slice(0, 16);
        const { code } = await transformWithOxc(source, entry);
        const known = `const __VERSION__=${JSON.stringify(version)},__SHELL__=${JSON.stringify(paths)};`;
        this.emitFile({ type: 'asset', fileName: `${page}-worker.js`, source: known + code });
      },
    },
  };
}

/** The scripts and styles that a page loads, also later on. */
function filesOf(bundle: Rolldown.OutputBundle, page: string): string[] {
  const found = new Set<string>();
  const follow = (file: string): void => {
    const chunk = bundle[file];
    if (found.has(file) || chunk?.type !== 'chunk') return;
    found.add(file);
    for (const style of chunk.viteMetadata?.importedCss ?? []) found.add(style);
    for (const asset of chunk.viteMetadata?.importedAssets ?? []) found.add(asset);
    for (const next of [...chunk.imports, ...chunk.dynamicImports]) follow(next);
  };
  const entry = Object.values(bundle).find(
    (file) => file.type === 'chunk' && file.isEntry && file.facadeModuleId?.endsWith(`/${page}/index.html`),
  );
  if (!entry) throw new Error(`no chunk is the entry of ${page}`);
  follow(entry.fileName);
  return [...found].sort();
}
