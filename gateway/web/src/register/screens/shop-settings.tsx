// What the shop says about itself: its name on receipts, its registration number, its plastic cards. And the way out: the secret removed.

import { useState } from 'preact/hooks';
import { signOut } from '../boot.ts';
import type { Register } from '../register.ts';
import { parseRanges } from '../scan/codes.ts';
import { STATE } from '../till/journal.ts';
import { words } from '../words.ts';

export function ShopSettings({ register, onClose }: { register: Register; onClose: () => void }) {
  const shop = register.shop.value;
  const [name, setName] = useState(shop.name);
  const [invoiceNumber, setInvoiceNumber] = useState(shop.invoiceNumber);
  const [plastic, setPlastic] = useState(shop.plastic.map(({ from, to }) => `${from}-${to}`).join('\n'));
  const [said, setSaid] = useState('');
  const text = words().setup;
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    const parsed = parseRanges(plastic);
    if ('wrong' in parsed) {
      setSaid(text.plasticWrong(parsed.wrong));
      return;
    }
    const next = { name: name.trim(), invoiceNumber: invoiceNumber.trim(), plastic: parsed.ranges };
    if (!(await register.keep(STATE, 'shop', next))) return;
    register.shop.value = next;
    setSaid(text.saved);
  };
  return (
    <form class="stack" onSubmit={save}>
      <h3>{text.shop}</h3>
      <label class="field">
        <span>{text.shopName}</span>
        <input type="text" value={name} onInput={(event) => setName(event.currentTarget.value)} />
      </label>
      <label class="field">
        <span>{text.invoiceNumber}</span>
        <input type="text" value={invoiceNumber} onInput={(event) => setInvoiceNumber(event.currentTarget.value)} />
      </label>
      <label class="field">
        <span>{text.plastic}</span>
        <textarea rows={3} value={plastic} onInput={(event) => setPlastic(event.currentTarget.value)} />
      </label>
      {said !== '' && (
        <p class="note info" role="status">
          {said}
        </p>
      )}
      <div class="row stretch">
        <button type="button" onClick={onClose}>
          {words().close}{' '}
          <span class="key" aria-hidden="true">
            Esc
          </span>
        </button>
        <button type="submit" class="primary">
          {text.save}
        </button>
      </div>
      <h3>{text.account(register.clientId)}</h3>
      <p class="hint">{text.kept}</p>
      <p class="hint">{text.leaves}</p>
      <button
        type="button"
        class="danger"
        onClick={() => void signOut(register).then((done) => !done && setSaid(text.signOutOpen))}
      >
        {text.signOut}
      </button>
    </form>
  );
}
