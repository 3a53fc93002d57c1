// What is shipped for Elasticsearch, Kibana and Filebeat, held against the records and the places that it speaks of.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { TrafficRecord } from '../../../protocol/traffic.ts';
import { egressPlaces } from '../places.ts';
import { SAVED_OBJECTS } from './kibana.ts';
import { readLifecycle, readTemplate } from './setup.ts';

const ROOT = path.join(import.meta.dirname, '../../..');
const DATA = '/mnt/data/autocode';
const { mappings, settings } = readTemplate().template;

interface SavedObject {
  type: string;
  id: string;
  attributes: Record<string, string> & {
    kibanaSavedObjectMeta?: { searchSourceJSON: string };
    columns?: string[];
    sort?: string[][];
  };
  references: { id: string; type: string; name: string }[];
}
const objects = readFileSync(SAVED_OBJECTS, 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as SavedObject);

test('every field of a record has its place in the mapping, and so has what is added to it', () => {
  const missing = Object.keys(TrafficRecord.shape).filter(
    (field) => mappings.properties[field] === undefined,
  );
  assert.deepEqual(missing, []);
  for (const field of ['@timestamp', 'position', 'bytes']) assert.ok(mappings.properties[field], field);
});

test('the lifecycle policy ends after as many days as are configured, and the template names it', () => {
  assert.equal(readLifecycle({ retentionDays: 7 }).phases.delete?.min_age, '7d');
  assert.equal(settings['index.lifecycle.name'], 'autocode-traffic');
});

test('Kibana is told of no field that the mapping does not have', () => {
  const fields = objects.flatMap(fieldsOf);
  assert.ok(fields.length > 40, String(fields.length));
  assert.deepEqual(
    fields.filter((field) => mappings.properties[field] === undefined),
    [],
  );
});

test('every object that another one refers to is among them, and every reference is used', () => {
  const known = new Set(objects.map(({ type, id }) => `${type} ${id}`));
  for (const { id, type, attributes, references } of objects) {
    for (const reference of references)
      assert.ok(known.has(`${reference.type} ${reference.id}`), `${id}: ${reference.id}`);
    const named = (
      JSON.stringify(attributes).match(/kibanaSavedObjectMeta\.searchSourceJSON\.index|panel_\d+/g) ?? []
    ).length;
    assert.equal(named, references.length, `${type} ${id}`);
  }
  assert.equal(known.size, objects.length);
});

function fieldsOf({ type, attributes }: SavedObject): string[] {
  const query = (
    JSON.parse(attributes.kibanaSavedObjectMeta?.searchSourceJSON ?? '{}') as { query?: { query: string } }
  ).query?.query;
  const queried = [...(query ?? '').matchAll(/(\w+) :/g)].map(([, field]) => field!);
  if (type === 'index-pattern')
    return [attributes.timeFieldName!, ...Object.keys(JSON.parse(attributes.fieldFormatMap!) as object)];
  if (type === 'search')
    return [...queried, ...attributes.columns!, ...attributes.sort!.map(([field]) => field!)];
  if (type !== 'visualization') return queried;
  const { aggs } = JSON.parse(attributes.visState!) as { aggs: { params: { field?: string } }[] };
  return [...queried, ...aggs.flatMap(({ params }) => params.field ?? [])];
}

interface Input {
  id: string;
  type: string;
  paths?: string[];
  fields: { service: { name: string } };
  fields_under_root: boolean;
  'include_matches.match'?: string[];
}
interface Filebeat {
  'filebeat.inputs': Input[];
  processors: object[];
  'output.elasticsearch': { index: string };
}
const filebeat = parse(readFileSync(path.join(ROOT, 'filebeat/filebeat.yml'), 'utf8')) as Filebeat;
const inputs = filebeat['filebeat.inputs'];
const paths = inputs.flatMap((input) => input.paths ?? []);

test('Filebeat reads what the services really write, says of which service it is, and makes a daily index of it', () => {
  const places = egressPlaces(DATA);
  const written = [
    ...['orchestrator', 'worker', 'runner-service'].map(
      (name) => `${DATA}/logs/orchestrator/${name}-2026-11-21.log`,
    ),
    `${DATA}/logs/worker/12/12-1.raw.log`,
    places.log,
    `${DATA}/elasticsearch/logs/autocode-cluster_server.json`,
    '/var/log/autocode-vault/audit.log',
  ];
  for (const file of written)
    assert.ok(
      paths.some((pattern) => path.matchesGlob(file, pattern)),
      file,
    );
  for (const pattern of paths)
    assert.ok(
      written.some((file) => path.matchesGlob(file, pattern)),
      pattern,
    );
  for (const { id, fields, fields_under_root: root } of inputs)
    assert.ok(root && fields.service.name !== '', id);
  assert.equal(new Set(inputs.map(({ id }) => id)).size, inputs.length);
  assert.equal(filebeat['output.elasticsearch'].index, 'autocode-logs-%{+yyyy.MM.dd}');
  assert.deepEqual(filebeat.processors.at(-1), {
    add_host_metadata: { 'when.not.contains.tags': 'forwarded' },
  });
});

test('Filebeat leaves records of traffic and prompts alone', () => {
  for (const file of [`${egressPlaces(DATA).spool}/2026-11-21T22.jsonl`, `${DATA}/logs/prompts/12-1/1.age`])
    assert.ok(!paths.some((pattern) => path.matchesGlob(file, pattern)), file);
});

test('Filebeat follows every unit that is installed', () => {
  const units = globSync('systemd/*.service', { cwd: ROOT }).map(
    (file) => `_SYSTEMD_UNIT=${path.basename(file)}`,
  );
  const followed = inputs.flatMap((input) => input['include_matches.match'] ?? []);
  assert.deepEqual(
    units.filter((unit) => !followed.includes(unit)),
    [],
  );
});

test('Elasticsearch as shipped listens on loopback and to the workers alone, with security on', () => {
  const file = path.join(ROOT, 'elasticsearch/elasticsearch.yml');
  const options = parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  assert.deepEqual(options['network.host'], ['127.0.0.1', '@WORKERS@']);
  assert.equal(options['xpack.security.enabled'], true);
  assert.equal(options['cluster.name'], 'autocode-cluster');
});
