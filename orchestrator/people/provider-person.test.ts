import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rolesOf } from './provider-person.ts';

const settings = {
  groupsClaim: 'groups',
  roles: [
    { group: 'all', role: 'viewer' },
    { group: 'leads', role: 'admin' },
    { group: 'shop', role: 'operator', project: 'shop' },
    { group: 'shop-readers', role: 'viewer', project: 'shop' },
  ] as { group: string; role: 'viewer' | 'operator' | 'admin'; project?: string }[],
};

test('the greatest role of the groups counts, in all projects and in each', () => {
  const table: [groups: unknown, role: string | null, projects: object][] = [
    [undefined, null, {}],
    ['all', 'viewer', {}],
    [['all', 'leads'], 'admin', {}],
    [['leads', 'all'], 'admin', {}],
    [['shop', 'shop-readers'], null, { shop: 'operator' }],
    [['shop-readers', 'shop'], null, { shop: 'operator' }],
    [['All', 'lead', 7, null], null, {}],
    [{ all: true }, null, {}],
  ];
  for (const [groups, role, projects] of table)
    assert.deepEqual(rolesOf(settings, { iss: 'i', sub: 's', groups }), { role, projects }, String(groups));
});
