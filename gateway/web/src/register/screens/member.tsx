// Who buys, as far as a cashier may see it, and the points that are held for this sale.

import { points } from '../../kit/format.ts';
import type { Register } from '../register.ts';
import { words } from '../words.ts';

export function MemberPanel({ register }: { register: Register }) {
  const { scan, card, member, hold } = register.draft.value;
  const text = words().member;
  const busy = register.asking.value !== undefined;
  return (
    <section class="panel member" aria-labelledby="member-title">
      <div class="row apart">
        <h2 id="member-title">{text.title}</h2>
        {scan && !hold && card !== 'asking' && (
          <button type="button" class="quiet" onClick={() => register.detach()}>
            {text.detach}
          </button>
        )}
      </div>
      {!scan && <p class="hint">{text.none}</p>}
      {card === 'asking' && <p>{text.asking}</p>}
      {card === 'unconfirmed' && <p class="note warn">{text.unconfirmed}</p>}
      {member && (
        <>
          <p class="who">
            {member.name} <span class="hint">{member.numberMasked}</span>
          </p>
          <dl class="facts number">
            <div>
              <dt>{text.rank}</dt>
              <dd>{member.rank}</dd>
            </div>
            <div>
              <dt>{text.available}</dt>
              <dd>{points(member.available)}</dd>
            </div>
            <div>
              <dt>{text.spendable}</dt>
              <dd>{points(member.spendable)}</dd>
            </div>
          </dl>
        </>
      )}
      {hold && (
        <div class="note good row apart">
          <span>
            {text.held(points(hold.points))} <span class="hint">{text.approval(hold.approvalCode)}</span>
          </span>
          <button type="button" disabled={busy} onClick={() => void register.release()}>
            {text.release}
          </button>
        </div>
      )}
    </section>
  );
}
