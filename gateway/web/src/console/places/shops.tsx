// Shops on the net and what they sign their webhooks with.

import { useCallback, useState } from 'preact/hooks';
import { instant } from '../../kit/format.ts';
import type { Maybe, Shop } from '../answers.ts';
import { Change } from '../parts/change.tsx';
import { Choice, TextField } from '../parts/field.tsx';
import { Show, useLoaded } from '../parts/loaded.tsx';
import { At } from '../parts/pieces.tsx';
import { Screen } from '../parts/screen.tsx';
import { type Secret, SecretDialog } from '../parts/secret.tsx';
import { Table } from '../parts/table.tsx';
import { tell } from '../place.ts';
import { ask, may } from '../session.ts';
import { term } from '../terms.ts';
import { places as words } from '../words/places.ts';
import { shell } from '../words/shell.ts';
import { SecretButtons } from './secret-buttons.tsx';

interface WithSecret {
  shop_id: string;
  webhook_secret?: Maybe<string>;
  old_ends_at?: Maybe<string>;
}
type Act = { act: 'create' } | { act: 'rotate' | 'disable'; shop: Shop };

/** The platforms whose webhook secrets the gateway makes; the others give out their own. */
const OUR_SECRETS = new Set(['woocommerce']);

export function Shops() {
  const w = words();
  const loaded = useLoaded('shops', (signal) => ask<{ shops: Shop[] }>('shops', {}, { signal }));
  const [doing, setDoing] = useState<Act>();
  const [secret, setSecret] = useState<Secret>();
  const forget = useCallback(() => setSecret(undefined), []);
  const reread = () => void loaded.reload();
  const common = { close: () => setDoing(undefined), reread };
  const made = (answer: WithSecret, note: string) => {
    if (answer.webhook_secret) setSecret({ name: answer.shop_id, text: answer.webhook_secret });
    tell(note);
    reread();
  };
  return (
    <Screen
      title={w.shopsTitle}
      actions={
        may('createShop') && (
          <button type="button" onClick={() => setDoing({ act: 'create' })}>
            {w.newShop}
          </button>
        )
      }
    >
      <section class="panel">
        <p class="hint">{w.shopSecretLead}</p>
        <Show of={loaded}>{({ shops }) => <ShopTable shops={shops} act={setDoing} />}</Show>
      </section>
      {doing?.act === 'create' && <NewShop {...common} done={(answer) => made(answer, w.shopCreated)} />}
      {doing?.act === 'rotate' && (
        <Change
          title={w.rotateOf(doing.shop.shop_id)}
          confirm={w.rotate}
          {...common}
          perform={(reason) => ask<WithSecret>('rotateShop', { shop: doing.shop.shop_id }, { body: { reason } })}
          done={(answer) => made(answer, answer.old_ends_at ? w.rotatedUntil(instant(answer.old_ends_at)) : w.rotated)}
        >
          <p class="note warn">{w.rotateShopLead}</p>
        </Change>
      )}
      {doing?.act === 'disable' && (
        <Change
          title={w.disableOf(doing.shop.shop_id)}
          confirm={w.disable}
          danger
          {...common}
          perform={(reason) => ask('disableShop', { shop: doing.shop.shop_id }, { body: { reason } })}
          done={() => {
            tell(w.disabled);
            reread();
          }}
        >
          <p class="note warn">{w.disableShopLead}</p>
        </Change>
      )}
      {secret && <SecretDialog secret={secret} close={forget} />}
    </Screen>
  );
}

function ShopTable({ shops, act }: { shops: Shop[]; act: (act: Act) => void }) {
  const w = words();
  return (
    <Table
      caption={w.shopsTitle}
      rows={shops}
      keyOf={(shop) => shop.shop_id}
      columns={[
        { name: w.shopId, heads: true, cell: (shop) => shop.shop_id },
        { name: w.name, wide: true, cell: (shop) => shop.name },
        { name: w.platform, cell: (shop) => term('platform', shop.platform) },
        { name: w.address, wide: true, cell: (shop) => shop.base_url || '—' },
        { name: w.webhookPath, cell: (shop) => (shop.webhook_path ? <code>{shop.webhook_path}</code> : '—') },
        { name: w.secrets, cell: (shop) => <Secrets shop={shop} /> },
        { name: shell().store, cell: (shop) => shop.store_id || '—' },
        { name: shell().created, cell: (shop) => <At at={shop.created_at} /> },
        {
          name: shell().status,
          cell: (shop) =>
            shop.disabled_at ? (
              <span class="badge bad">{w.disabledAt}</span>
            ) : (
              <span class="badge good">{w.active}</span>
            ),
        },
        {
          name: shell().act,
          cell: (shop) => (
            <SecretButtons
              name={shop.shop_id}
              {...(may('rotateShop') &&
                !shop.disabled_at &&
                OUR_SECRETS.has(shop.platform) && { rotate: () => act({ act: 'rotate', shop }) })}
              {...(may('disableShop') && !shop.disabled_at && { disable: () => act({ act: 'disable', shop }) })}
            />
          ),
        },
      ]}
    />
  );
}

/** When each was made and until when it is good; what they are is shown nowhere. */
function Secrets({ shop }: { shop: Shop }) {
  const w = words();
  if (shop.secrets.length === 0) return <>—</>;
  return (
    <ul class="plain">
      {shop.secrets.map((secret) => (
        <li key={secret.created_at}>
          <At at={secret.created_at} /> ({secret.ends_at ? w.secretUntil(instant(secret.ends_at)) : w.secretNow})
        </li>
      ))}
    </ul>
  );
}

const PLATFORMS = ['woocommerce', 'shopify', 'ec_cube', 'api'] as const;

interface NewShopProps {
  close: () => void;
  reread: () => void;
  done: (answer: WithSecret) => void;
}

function NewShop({ close, reread, done }: NewShopProps) {
  const w = words();
  const [id, setId] = useState('');
  const [name, setName] = useState('');
  const [platform, setPlatform] = useState<(typeof PLATFORMS)[number]>('woocommerce');
  const [url, setUrl] = useState('');
  const [checked, setChecked] = useState(false);
  return (
    <Change
      title={w.newShop}
      confirm={w.create}
      close={close}
      reread={reread}
      wrong={() => {
        setChecked(true);
        return id.trim() === '' || name.trim() === '';
      }}
      perform={(reason) => {
        const body = { shop_id: id.trim(), platform, name: name.trim(), ...(url.trim() && { base_url: url.trim() }) };
        return ask<WithSecret>('createShop', {}, { body: { ...body, reason } });
      }}
      done={done}
    >
      <TextField
        label={w.shopId}
        hint={w.idHint}
        value={id}
        change={setId}
        fault={checked && id.trim() === '' ? w.idMissing : undefined}
        required
      />
      <TextField
        label={w.name}
        value={name}
        change={setName}
        fault={checked && name.trim() === '' ? w.nameMissing : undefined}
        required
      />
      <Choice
        label={w.platform}
        value={platform}
        options={PLATFORMS.map((one) => [one, term('platform', one)] as const)}
        change={setPlatform}
      />
      <TextField label={w.baseUrl} value={url} change={setUrl} inputMode="url" />
    </Change>
  );
}
