// The shop's articles: pick one for the sale, or keep the list: add, remove, read and write a file of comma-separated values.

import { useState } from 'preact/hooks';
import { yen } from '../../kit/format.ts';
import type { Register } from '../register.ts';
import { ARTICLES_MAX, DEMO_ARTICLES, parseArticles, writeArticles } from '../sale/articles.ts';
import { type Article, isPrice, type TaxRate } from '../sale/basket.ts';
import { STATE } from '../till/journal.ts';
import { words } from '../words.ts';

export function Articles({ register, onClose }: { register: Register; onClose: () => void }) {
  const [edits, setEdits] = useState(false);
  const text = words().articles;
  return (
    <div class="stack">
      {edits ? (
        <Editor register={register} />
      ) : (
        <ul class="plain tiles">
          {register.articles.value.map((article) => (
            <li key={article.sku}>
              <button
                type="button"
                class="tile"
                onClick={() => {
                  register.goTo({ is: 'sale' });
                  register.addArticle(article);
                }}
              >
                <span>
                  {article.name} {article.taxRate === 8 && '※'}
                </span>
                <span class="number">{yen(article.price)}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
      <div class="row stretch">
        <button type="button" onClick={onClose}>
          {words().close}{' '}
          <span class="key" aria-hidden="true">
            Esc
          </span>
        </button>
        <button type="button" aria-pressed={edits} onClick={() => setEdits(!edits)}>
          {text.manage}
        </button>
      </div>
    </div>
  );
}

function Editor({ register }: { register: Register }) {
  const [said, setSaid] = useState('');
  const text = words().articles;
  const keep = async (articles: readonly Article[], saying: string): Promise<void> => {
    if (!(await register.keep(STATE, 'articles', articles))) return;
    register.articles.value = articles;
    setSaid(saying);
  };
  const read = async (file: File | undefined): Promise<void> => {
    if (!file) return;
    const parsed = parseArticles(await file.text());
    if ('articles' in parsed) await keep(parsed.articles, text.imported(parsed.articles.length));
    else setSaid(text.wrong(parsed.line, text.wrongs[parsed.wrong]));
  };
  return (
    <div class="stack">
      <p class="hint">{text.format}</p>
      <div class="row stretch">
        <label class="button">
          {text.import}
          <input
            class="unseen"
            type="file"
            accept=".csv,text/csv"
            onChange={(event) => {
              void read(event.currentTarget.files?.[0]);
              event.currentTarget.value = '';
            }}
          />
        </label>
        <button type="button" onClick={() => download(writeArticles(register.articles.value))}>
          {text.export}
        </button>
        <button type="button" onClick={() => void keep(DEMO_ARTICLES, text.imported(DEMO_ARTICLES.length))}>
          {text.demo}
        </button>
      </div>
      {said !== '' && (
        <p class="note info" role="status">
          {said}
        </p>
      )}
      <AddArticle articles={register.articles.value} onArticles={(articles) => void keep(articles, text.added)} />
      <ul class="plain stack">
        {register.articles.value.map((article) => (
          <li key={article.sku} class="row apart">
            <span>
              {article.name} <span class="hint">{article.sku}</span>
            </span>
            <span class="row">
              <span class="number">
                {yen(article.price)} {article.taxRate}%
              </span>
              <button
                type="button"
                class="quiet"
                aria-label={text.remove(article.name)}
                onClick={() =>
                  void keep(
                    register.articles.value.filter((each) => each.sku !== article.sku),
                    '',
                  )
                }
              >
                ×
              </button>
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}

interface AddProps {
  articles: readonly Article[];
  onArticles: (articles: readonly Article[]) => void;
}

function AddArticle({ articles, onArticles }: AddProps) {
  const [sku, setSku] = useState('');
  const [name, setName] = useState('');
  const [price, setPrice] = useState('');
  const [taxRate, setTaxRate] = useState<TaxRate>(10);
  const text = words().articles;
  const isWhole = sku.trim() !== '' && name.trim() !== '' && isPrice(Number(price)) && articles.length < ARTICLES_MAX;
  return (
    <form
      class="add-article"
      onSubmit={(event) => {
        event.preventDefault();
        if (!isWhole) return;
        const article = { sku: sku.trim(), name: name.trim(), category: 'other', price: Number(price), taxRate };
        onArticles([...articles.filter((each) => each.sku !== article.sku), article]);
        setSku('');
        setName('');
        setPrice('');
      }}
    >
      <TextField label={text.sku} value={sku} onValue={setSku} />
      <TextField label={text.name} value={name} onValue={setName} />
      <TextField label={text.price} value={price} onValue={setPrice} />
      <label class="field">
        <span>{text.rate}</span>
        <select value={taxRate} onChange={(event) => setTaxRate(event.currentTarget.value === '8' ? 8 : 10)}>
          <option value={10}>10%</option>
          <option value={8}>8%</option>
        </select>
      </label>
      <button type="submit" disabled={!isWhole}>
        {text.add}
      </button>
    </form>
  );
}

function TextField({ label, value, onValue }: { label: string; value: string; onValue: (value: string) => void }) {
  return (
    <label class="field">
      <span>{label}</span>
      <input
        type="text"
        autocomplete="off"
        value={value}
        onInput={(event) => onValue(event.currentTarget.value.normalize('NFKC'))}
      />
    </label>
  );
}

function download(text: string): void {
  // The byte-order mark tells spreadsheets that it is UTF-8.
  const url = URL.createObjectURL(new Blob([`\uFEFF${text}`], { type: 'text/csv' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = 'articles.csv';
  link.click();
  URL.revokeObjectURL(url);
}
