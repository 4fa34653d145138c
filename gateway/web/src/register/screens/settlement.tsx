// The day's close: what this till counted beside what the gateway counted, and each difference.

import { useEffect, useState } from 'preact/hooks';
import { day, integer, yen } from '../../kit/format.ts';
import type { Register } from '../register.ts';
import type { SaleRecord } from '../sale/draft.ts';
import { RECEIPTS } from '../till/journal.ts';
import { SETTINGS } from '../till/settings.ts';
import { type SettlementTotals, TOTAL_FIELDS, totalsOf } from '../till/totals.ts';
import type { Verdict } from '../till/verdict.ts';
import { verdictWords } from '../verdict-words.ts';
import { words } from '../words.ts';
import { Fact } from './receipt.tsx';

export function Settlement({ register, onClose }: { register: Register; onClose: () => void }) {
  const [date, setDate] = useState(register.today());
  const [verdict, setVerdict] = useState<Verdict>();
  const text = words().settle;
  const busy = register.asking.value !== undefined;
  register.keeper.changes.value;
  const till = totalsOf(register.keeper.machine.book, date, SETTINGS);
  const settle = async (anyway: boolean): Promise<void> => {
    const ended = await register.ask('settlement', () =>
      register.keeper.ask({ ask: 'settlement', businessDate: date, anyway }),
    );
    setVerdict(ended.verdict);
  };
  const unsettled = verdict?.verdict === 'refused' && verdict.refusal.is === 'unsettled';
  return (
    <div class="stack">
      <label class="field">
        <span>{text.day}</span>
        <input
          type="date"
          value={date}
          max={register.today()}
          onInput={(event) => {
            if (event.currentTarget.value === '') return;
            setDate(event.currentTarget.value);
            setVerdict(undefined);
          }}
        />
      </label>
      <Takings register={register} date={date} />
      {verdict?.verdict === 'approved' ? <Compared answer={verdict.answer} /> : <Own till={till} />}
      {verdict && verdict.verdict !== 'approved' && (
        <p class="note warn" role="alert">
          {verdictWords(verdict, 'settlement')}
        </p>
      )}
      <div class="row stretch">
        <button type="button" onClick={onClose}>
          {words().close}{' '}
          <span class="key" aria-hidden="true">
            Esc
          </span>
        </button>
        {unsettled && (
          <button type="button" class="danger" disabled={busy} onClick={() => void settle(true)}>
            {text.anyway}
          </button>
        )}
        <button type="button" class="primary" disabled={busy} onClick={() => void settle(false)}>
          {busy ? words().working : text.settle}
        </button>
      </div>
    </div>
  );
}

function shown(field: keyof SettlementTotals, value: number): string {
  return field === 'purchase_total' ? yen(value) : integer(value);
}

function Own({ till }: { till: SettlementTotals }) {
  const text = words().settle;
  return (
    <section class="stack">
      <h3>{text.till}</h3>
      <dl class="number">
        {TOTAL_FIELDS.map((field) => (
          <Fact key={field} name={text.fields[field]} value={shown(field, till[field])} />
        ))}
      </dl>
    </section>
  );
}

interface Differing {
  field: string;
  till: number;
  gateway: number;
}

function Compared({ answer }: { answer: Record<string, unknown> }) {
  const text = words().settle;
  const [till, gateway] = [answer['till'] as SettlementTotals, answer['gateway'] as SettlementTotals];
  const differences = answer['differences'] as Differing[];
  return (
    <section class="stack">
      <p class={differences.length === 0 ? 'note good' : 'note bad'} role="status">
        {differences.length === 0 ? text.agrees : text.differs(differences.length)}
      </p>
      <table class="number">
        <thead>
          <tr>
            <th scope="col">{text.field}</th>
            <th scope="col">{text.till}</th>
            <th scope="col">{text.gateway}</th>
            <th scope="col">{text.difference}</th>
          </tr>
        </thead>
        <tbody>
          {TOTAL_FIELDS.map((field) => (
            <tr key={field} class={till[field] === gateway[field] ? '' : 'differs'}>
              <th scope="row">{text.fields[field]}</th>
              <td>{shown(field, till[field])}</td>
              <td>{shown(field, gateway[field])}</td>
              <td>{till[field] === gateway[field] ? '—' : shown(field, till[field] - gateway[field])}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** What lies in the drawer: this register's own receipts, members' and others'. */
function Takings({ register, date }: { register: Register; date: string }) {
  const [records, setRecords] = useState<SaleRecord[]>([]);
  useEffect(() => {
    void register.storage.all<SaleRecord>(RECEIPTS).then((rows) => setRecords(rows.map(([, record]) => record)));
  }, [register]);
  const text = words().settle;
  const sales = records.filter((record) => record.businessDate === date);
  const paid = (tender: SaleRecord['tender']) =>
    sales
      .filter((record) => record.tender === tender)
      .reduce((sum, record) => sum + record.totals.total - record.pointsUsed, 0);
  const back = records
    .flatMap((record) => record.paidBack ?? [])
    .filter((each) => each.date === date)
    .reduce((sum, each) => sum + each.yen, 0);
  const [cash, other] = [paid('cash'), paid('other')];
  return (
    <section class="stack">
      <h3>
        {text.takings} {day(date)}
      </h3>
      <dl class="number">
        <Fact name={text.sales(sales.length)} value={yen(cash + other)} />
        <Fact name={words().receipt.cash} value={yen(cash)} />
        <Fact name={words().receipt.other} value={yen(other)} />
        <Fact name={text.refundsPaid} value={back === 0 ? yen(0) : `−${yen(back)}`} />
        <Fact name={text.left} value={yen(cash + other - back)} strong />
      </dl>
    </section>
  );
}
