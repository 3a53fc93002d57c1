// A form by a JSON schema: a field for each part of an object, with its words, its mistake and what it begins as. Used where what
// is asked for is known to the daemon alone.
import { useId, useState, type ReactNode } from 'react';
import { Button } from './button.tsx';
import { Field, Input } from './field.tsx';
import { inputFor, isLongIn } from './schema-inputs.tsx';
import {
  defaultsOf,
  labelOf,
  mistakeIn,
  present,
  shapeOf,
  type JsonSchema,
  type Mistake,
  type Values,
} from './schema.ts';
import { Told } from './told.tsx';

interface FieldsProps {
  schema: JsonSchema;
  value: Values;
  /** Where the value stands in what is sent, as `settings`. */
  path: string;
  mistakes: Mistake[];
  onChange: (value: Values) => void;
}

/** Fields for all parts of an object; what is left empty is left out. */
export function SchemaFields({ schema, value, path, mistakes, onChange }: FieldsProps) {
  return (
    <div className="grid gap-3 sm:grid-cols-2">
      {Object.entries(schema.properties ?? {}).map(([name, part]) => (
        <Part
          key={name}
          name={name}
          schema={part}
          required={schema.required?.includes(name) ?? false}
          value={value[name]}
          path={`${path}.${name}`}
          mistakes={mistakes}
          onChange={(to) => {
            const { [name]: _, ...others } = value;
            onChange(to === undefined ? others : { ...value, [name]: to });
          }}
        />
      ))}
    </div>
  );
}

interface PartProps {
  name: string;
  schema: JsonSchema;
  required: boolean;
  value: unknown;
  path: string;
  mistakes: Mistake[];
  onChange: (value: unknown) => void;
}

function Part({ schema: given, ...props }: PartProps) {
  const { schema, nullable } = present(given);
  switch (shapeOf(schema)) {
    case 'switch':
      return <SwitchPart {...props} schema={schema} />;
    case 'group':
      return <GroupPart {...props} schema={schema} />;
    case 'groups':
      return <GroupsPart {...props} schema={schema} />;
    case 'pairs':
      return <PairsPart {...props} schema={schema} />;
    default:
      return <LinePart {...props} schema={schema} empty={nullable ? null : undefined} />;
  }
}

/** What is written in one field. `empty`: what is said by leaving it so. */
function LinePart(props: PartProps & { empty: null | undefined }) {
  const { name, schema, path, mistakes } = props;
  const isLong = isLongIn(schema);
  const hint = `${schema.description ?? ''}${shapeOf(schema) === 'lines' ? ' One a line.' : ''}`.trim();
  return (
    <div className={isLong ? 'sm:col-span-2' : ''}>
      <Field
        label={labelOf(name, schema)}
        hint={hint === '' ? undefined : hint}
        mistake={mistakeIn(mistakes, path, 'below too')}
      >
        {inputFor(props)}
      </Field>
    </div>
  );
}

function SwitchPart({ name, schema, value, path, mistakes, onChange }: PartProps) {
  const id = useId();
  const told = mistakeIn(mistakes, path) ?? schema.description;
  return (
    <div className="space-y-1">
      <label className="flex items-center gap-2 font-medium">
        <input
          type="checkbox"
          className="size-4 accent-accent"
          checked={value === true}
          aria-describedby={id}
          onChange={({ target }) => onChange(target.checked)}
        />
        {labelOf(name, schema)}
      </label>
      <p id={id} className="text-sm text-muted">
        {told !== undefined && <Told words={told} />}
      </p>
    </div>
  );
}

/** An object that may be left out as a whole. */
function GroupPart({ value, required, onChange, ...props }: PartProps) {
  const label = labelOf(props.name, props.schema);
  const begin = () => onChange(defaultsOf(props.schema));
  return (
    <Frame {...props}>
      {value === undefined && !required ? (
        <Button onClick={begin}>Say it</Button>
      ) : (
        <Inner
          {...props}
          label={label}
          value={(value ?? {}) as Values}
          onChange={onChange}
          onRemove={required ? undefined : () => onChange(undefined)}
        />
      )}
    </Frame>
  );
}

/** Objects one after the other. */
function GroupsPart({ value, onChange, ...props }: PartProps) {
  const list = Array.isArray(value) ? (value as Values[]) : [];
  const schema = props.schema.items ?? {};
  const label = labelOf(props.name, props.schema);
  return (
    <Frame {...props}>
      {list.map((each, index) => (
        <Inner
          key={`${index} of ${list.length}`}
          label={`${label} ${index + 1}`}
          schema={schema}
          path={`${props.path}.${index}`}
          mistakes={props.mistakes}
          value={each}
          onChange={(to) => onChange(list.with(index, to))}
          onRemove={() => onChange(list.toSpliced(index, 1))}
        />
      ))}
      <Button onClick={() => onChange([...list, defaultsOf(schema)])}>
        Add <span className="sr-only">to {label}</span>
      </Button>
    </Frame>
  );
}

/** Names that are not known before, each with a text. */
function PairsPart({ value, onChange, ...props }: PartProps) {
  const [pairs, setPairs] = useState(() => Object.entries((value ?? {}) as Record<string, string>));
  const change = (to: [string, string][]) => {
    setPairs(to);
    onChange(Object.fromEntries(to.filter(([name]) => name !== '')));
  };
  const label = labelOf(props.name, props.schema);
  return (
    <Frame {...props}>
      {pairs.map(([name, text], index) => (
        <div key={`${index} of ${pairs.length}`} className="flex items-center gap-2">
          <Input
            aria-label={`${label}: name ${index + 1}`}
            value={name}
            onChange={({ target }) => change(pairs.with(index, [target.value, text]))}
          />
          <span aria-hidden="true">is</span>
          <Input
            aria-label={`${label}: value ${index + 1}`}
            value={text}
            onChange={({ target }) => change(pairs.with(index, [name, target.value]))}
          />
          <Button
            look="quiet"
            aria-label={`Remove ${name}`}
            onClick={() => change(pairs.toSpliced(index, 1))}
          >
            Remove
          </Button>
        </div>
      ))}
      <Button onClick={() => change([...pairs, ['', '']])}>
        Add <span className="sr-only">to {label}</span>
      </Button>
    </Frame>
  );
}

function Inner({
  label,
  onRemove,
  ...props
}: FieldsProps & { label: string; onRemove: (() => void) | undefined }) {
  return (
    <div role="group" aria-label={label} className="space-y-2 rounded-md border border-line p-3">
      <SchemaFields {...props} />
      {onRemove !== undefined && (
        <Button look="quiet" aria-label={`Remove ${label}`} onClick={onRemove}>
          Remove
        </Button>
      )}
    </div>
  );
}

/** Several fields under one name. */
function Frame({
  name,
  schema,
  path,
  mistakes,
  children,
}: Pick<PartProps, 'name' | 'schema' | 'path' | 'mistakes'> & { children: ReactNode }) {
  const mistake = mistakeIn(mistakes, path);
  return (
    <fieldset className="space-y-2 sm:col-span-2">
      <legend className="font-medium">{labelOf(name, schema)}</legend>
      {schema.description !== undefined && (
        <p className="text-sm text-muted">
          <Told words={schema.description} />
        </p>
      )}
      {mistake !== undefined && <p className="text-sm text-bad">{mistake}</p>}
      {children}
    </fieldset>
  );
}
