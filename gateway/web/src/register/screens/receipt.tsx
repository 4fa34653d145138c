// The receipt, on the screen and on paper: what the invoice system of Japan asks for, and what became of the points, and why.

import { useEffect, useRef, useState } from 'preact/hooks';
import { Dialog } from '../../kit/dialog.tsx';
import { day, instant, points, yen } from '../../kit/format.ts';
import { language } from '../../kit/i18n.ts';
import type { Register } from '../register.ts';
import { undo } from '../returns.ts';
import { amountOf } from '../sale/basket.ts';
import type { SaleRecord } from '../sale/draft.ts';
import type { Earned } from '../till/totals.ts';
import { declineWords, verdictWords } from '../verdict-words.ts';
import { words } from '../words.ts';

export function Receipt({ register }: { register: Register }) {
  const record = register.record.value;
  const next = useRef<HTMLButtonElement>(null);
  useEffect(() => next.current?.focus(), []);
  if (!record) return null;
  const text = words().receipt;
  const message = register.message.value;
  return (
    <div class="done">
      <div class="row stretch unprinted">
        <button ref={next} type="button" class="primary" onClick={() => register.goTo({ is: 'sale' })}>
          {text.next}{' '}
          <span class="key" aria-hidden="true">
            Enter
          </span>
        </button>
        <button type="button" onClick={() => print()}>
          {text.print}
        </button>
        {record.points !== 'undone' && Object.keys(record.returned).length === 0 && (
          <Undo register={register} record={record} />
        )}
      </div>
      {message && <p class={`note ${message.tone} unprinted`}>{message.text()}</p>}
      <Paper register={register} record={record} />
    </div>
  );
}

function Paper({ register, record }: { register: Register; record: SaleRecord }) {
  const text = words().receipt;
  const { name, invoiceNumber } = register.shop.value;
  return (
    <article class="paper number" aria-labelledby="receipt-title">
      <h2 id="receipt-title">{text.title}</h2>
      {name !== '' && <p class="shop">{name}</p>}
      {invoiceNumber !== '' && (
        <p>
          {text.invoice} {invoiceNumber}
        </p>
      )}
      <dl>
        <Fact name={text.number} value={record.number} />
        <Fact name={text.date} value={instant(record.occurredAt)} />
        <Fact name={text.businessDate} value={day(record.businessDate)} />
      </dl>
      <ul class="plain paper-lines">
        {record.lines.map((line) => (
          <li key={line.lineNo}>
            <span>
              {line.name}
              {line.taxRate === 8 && ' ※'}
              {line.quantity > 1 && ` ${yen(line.price)} × ${line.quantity}`}
              {(record.returned[line.lineNo] ?? 0) > 0 && ` (${text.returned(record.returned[line.lineNo] ?? 0)})`}
            </span>
            <span>{yen(amountOf(line))}</span>
          </li>
        ))}
      </ul>
      <dl>
        <Fact name={words().basket.total} value={yen(record.totals.total)} strong />
        {record.totals.split.map((each) => (
          <Fact
            key={each.taxRate}
            name={`${words().basket.ofWhichTax(each.taxRate)} ${yen(each.total)}`}
            value={`${words().basket.tax} ${yen(each.tax)}`}
          />
        ))}
        {record.pointsUsed > 0 && <Fact name={text.used} value={`−${points(record.pointsUsed)}`} />}
        <Fact
          name={record.tender === 'cash' ? text.cash : text.other}
          value={yen(record.totals.total - record.pointsUsed)}
        />
        {record.tender === 'cash' && record.change > 0 && (
          <>
            <Fact name={text.received} value={yen(record.received)} />
            <Fact name={text.change} value={yen(record.change)} strong />
          </>
        )}
      </dl>
      <PointsPart record={record} />
      {record.lines.some((line) => line.taxRate === 8) && <p class="hint">{text.reducedNote}</p>}
      <p>{text.thanks}</p>
    </article>
  );
}

function PointsPart({ record }: { record: SaleRecord }) {
  const text = words().receipt;
  if (record.points === 'undone') return <p class="note warn">{text.undone}</p>;
  if (record.points === 'none') return null;
  return (
    <section class="paper-points">
      {record.member && (
        <p>
          {text.member} {record.member.name} {record.member.numberMasked}
        </p>
      )}
      {record.points === 'queued' && <p class="note warn">{text.queued}</p>}
      {record.points === 'asking' && <p>{text.asking}</p>}
      {record.points === 'declined' && (
        <p class="note bad">
          {text.declined} {declineWords({ reason: record.reason ?? '' }, 'purchase')}
        </p>
      )}
      {record.purchase && (
        <>
          <dl>
            <Fact name={text.earned} value={points(record.purchase.points_earned)} />
            {record.balance !== undefined && <Fact name={text.balance} value={points(record.balance)} strong />}
          </dl>
          {record.purchase.earned.length > 0 && (
            <>
              <p>{text.why}</p>
              <ul class="why">
                {record.purchase.earned.map((earned) => (
                  <li key={earned.why}>
                    {points(earned.points)}: {whyEarned(earned)}
                    {earned.expires_on !== undefined && ` (${text.until(day(earned.expires_on))})`}
                  </li>
                ))}
              </ul>
            </>
          )}
        </>
      )}
    </section>
  );
}

/** The gateway words its reason in English only; a Japanese receipt names the class of the points. */
function whyEarned(earned: Earned): string {
  return language.value === 'en' ? earned.why : words().receipt.classOf(earned.class);
}

export function Fact({ name, value, strong = false }: { name: string; value: string; strong?: boolean }) {
  return (
    <div class={strong ? 'fact strong' : 'fact'}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Undo({ register, record }: { register: Register; record: SaleRecord }) {
  const [asks, setAsks] = useState(false);
  const busy = register.asking.value !== undefined;
  const text = words().receipt;
  const run = async (): Promise<void> => {
    const { verdict, quote } = await undo(register, record);
    setAsks(false);
    if (!quote) {
      if (verdict) register.sayVerdict(verdict, 'reversal');
      return;
    }
    const kept = quote.refund?.shortfall_yen ?? 0;
    const isQueued = verdict?.verdict === 'queued';
    register.say(kept > 0 || isQueued ? 'warn' : 'good', () => {
      const later = isQueued ? `${verdictWords(verdict, 'reversal')} ` : '';
      return later + words().receipt.giveBack(yen(quote.cash)) + (kept > 0 ? words().receipt.keepBack(yen(kept)) : '');
    });
  };
  return (
    <>
      <button type="button" class="danger" disabled={busy} onClick={() => setAsks(true)}>
        {text.undo}
      </button>
      {asks && (
        <Dialog title={text.undo} onClose={() => setAsks(false)}>
          <p>{text.undoAsk}</p>
          <div class="row stretch">
            <button type="button" onClick={() => setAsks(false)}>
              {words().back}
            </button>
            <button type="button" class="danger" disabled={busy} onClick={() => void run()}>
              {busy ? words().working : text.undo}
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}
