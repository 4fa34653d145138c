// Personal data as lines to show, and the name of the file it leaves in.

const ORDER = ['name', 'kana', 'email', 'phone', 'birthday', 'postal_code'];

/** What is told, in reading order; what this page has no name for comes last, as it is. */
export function profileLines(profile: Readonly<Record<string, unknown>>): [name: string, value: string][] {
  const rank = (name: string) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
  return Object.entries(profile)
    .filter(([, value]) => value !== null && value !== undefined && value !== '')
    .sort(([one], [other]) => rank(one) - rank(other))
    .map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]);
}

export function exportName(member_no: string): string {
  return `member-${member_no.replace(/[^0-9A-Za-z-]/g, '')}.json`;
}
