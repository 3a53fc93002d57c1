import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { compilePolicy, decide, type EgressRequest } from './match.ts';
import { requireRules } from './parse.ts';
import { printRule } from './rule.ts';
import { suggestion } from './suggest.ts';

type Fields = Omit<EgressRequest, 'sni' | 'hostHeader'> & Partial<EgressRequest> & { at: number };
interface Case {
  name: string;
  request: Partial<Fields>;
  decision: string;
  reason: string;
  rule: number | null;
  suggestion?: string | null;
}
interface Table {
  request: Fields;
  recording: Record<string, Record<string, number>>;
  policies: Record<string, string[]>;
  groups: { name: string; policy: string; request: Partial<Fields>; cases: Case[] }[];
}

const file = join(import.meta.dirname, '../../../proxy-addon/cases/policy.json');
const table = JSON.parse(readFileSync(file, 'utf8')) as Table;

for (const group of table.groups) {
  describe(group.name, () => {
    const rules = table.policies[group.policy]!;
    const parsed = requireRules(rules.join('\n'), new Map());
    const policy = compilePolicy(parsed, table.recording[group.policy]);
    for (const { name, request, decision, reason, rule, suggestion: expected } of group.cases) {
      it(name, () => {
        const { at, ...fields } = { ...table.request, ...group.request, ...request };
        const { host, scheme } = fields;
        const asked: EgressRequest = { sni: scheme === 'https' ? host : null, hostHeader: host, ...fields };
        const decided = decide(policy, asked, at);
        assert.deepEqual(decided, { decision, reason, rule: rule === null ? null : rules[rule] });
        const suggested = suggestion(asked, decided);
        if (expected !== undefined) assert.equal(suggested, expected);
        if (suggested === null) return;
        const after = decide(compilePolicy([...parsed, ...requireRules(suggested, new Map())]), asked, at);
        assert.deepEqual(after, { decision: 'allow', reason: 'rule', rule: suggested });
      });
    }
  });
}

describe('the table', () => {
  it('has its rules in their canonical form', () => {
    for (const rules of Object.values(table.policies))
      assert.deepEqual(requireRules(rules.join('\n'), new Map()).map(printRule), rules);
  });
  it('has no two cases of one name in a group', () => {
    for (const { name, cases } of table.groups)
      assert.equal(new Set(cases.map((each) => each.name)).size, cases.length, name);
  });
});
