// The orders that shops told of a person.

import type { Order, Person } from '../answers.ts';
import { Show, useLoaded } from '../parts/loaded.tsx';
import { At } from '../parts/pieces.tsx';
import { Table } from '../parts/table.tsx';
import { ask } from '../session.ts';
import { term } from '../terms.ts';
import { member as words } from '../words/members.ts';
import { shell } from '../words/shell.ts';
import { numberOf } from './show.tsx';
import { WhyButton } from './why.tsx';

export function Orders({ member, person }: { member: string; person: Person }) {
  const w = words();
  const loaded = useLoaded(member, (signal) => ask<{ orders: Order[] }>('orders', { member }, { signal }));
  return (
    <section class="panel">
      <h2>{w.orders}</h2>
      <Show of={loaded}>
        {({ orders }) => (
          <Table
            caption={w.orders}
            rows={orders}
            keyOf={(order) => `${order.shop_id} ${order.order_id}`}
            columns={[
              { name: w.order, heads: true, cell: (order) => order.order_id },
              { name: shell().shop, cell: (order) => order.shop_id },
              { name: shell().status, cell: (order) => term('order', order.state) },
              { name: w.remark, wide: true, cell: (order) => order.remark || '—' },
              { name: w.firstAt, cell: (order) => <At at={order.first_at} /> },
              { name: w.changedAt, cell: (order) => <At at={order.changed_at} /> },
              { name: w.record, cell: (order) => numberOf(person, order.member_id) },
              {
                name: w.why,
                cell: (order) =>
                  order.purchase_id ? (
                    <WhyButton member={member} entry={order.purchase_id} about={order.order_id} />
                  ) : (
                    '—'
                  ),
              },
            ]}
          />
        )}
      </Show>
    </section>
  );
}
