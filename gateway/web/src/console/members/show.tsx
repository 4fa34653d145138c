// How parts of a person are named: a record by its number, a lot's reach, a day that may be absent.

import { day } from '../../kit/format.ts';
import type { Person, Scope } from '../answers.ts';
import { Id, MemberLink } from '../parts/pieces.tsx';
import { member as words } from '../words/members.ts';

/** The number of one of the person's records; the id of any other. */
export function numberOf(person: Person, member_id: string) {
  const record = person.records.find((one) => one.member_id === member_id);
  return record ? <MemberLink member={record.member_no} /> : <Id id={member_id} />;
}

export function dayOr(text: string | null | undefined, otherwise: string): string {
  return text ? day(text) : otherwise;
}

/** Where points of a lot may be spent. */
export function reach(scope: Scope | null | undefined): string {
  const all = [...(scope?.stores ?? []), ...(scope?.categories ?? [])];
  return all.length === 0 ? words().everywhere : all.join(', ');
}
