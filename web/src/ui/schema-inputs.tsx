// The one element in which a text, a number, a choice or a list of lines is written, by its schema. Used by schema-fields.tsx.
import { useState, type ReactElement } from 'react';
import { Input, Select, TextArea } from './field.tsx';
import { linesOf, listOf, shapeOf, type JsonSchema } from './schema.ts';

const LONG = 10_000;

/** An element that Field can give its ids. */
type Labelled = ReactElement<{ id?: string; 'aria-describedby'?: string; 'aria-invalid'?: boolean }>;

export interface InputProps {
  schema: JsonSchema;
  required: boolean;
  value: unknown;
  /** What is said by leaving it empty. */
  empty: null | undefined;
  onChange: (value: unknown) => void;
}

/** Whether it takes a whole row. */
export function isLongIn(schema: JsonSchema): boolean {
  const shape = shapeOf(schema);
  return shape === 'lines' || (shape === 'text' && (schema.maxLength ?? 0) > LONG);
}

/** The element; a function and no component, so that Field can give it its ids. */
export function inputFor(props: InputProps): Labelled {
  const { schema, required, value, onChange } = props;
  switch (shapeOf(schema)) {
    case 'choice':
      return choiceInput(props);
    case 'number':
      return numberInput(props);
    case 'lines':
      return <Lines schema={schema} required={required} value={value} onChange={onChange} />;
    default:
      return textInput(props);
  }
}

function textInput({ value, required, schema, empty, onChange }: InputProps): Labelled {
  const bind = {
    value: typeof value === 'string' ? value : '',
    required,
    onChange: ({ target }: { target: { value: string } }) =>
      onChange(target.value === '' && schema.default !== '' ? empty : target.value),
  };
  const type = schema.format === 'uri' ? 'url' : 'text';
  return isLongIn(schema) ? (
    <TextArea rows={4} {...bind} />
  ) : (
    <Input type={type} spellCheck={false} {...bind} />
  );
}

function numberInput({ value, required, schema, empty, onChange }: InputProps): Labelled {
  return (
    <Input
      type="number"
      value={typeof value === 'number' ? value : ''}
      required={required}
      min={schema.minimum}
      max={schema.maximum}
      step={schema.type === 'integer' ? 1 : 'any'}
      onChange={({ target }) => onChange(target.value === '' ? empty : Number(target.value))}
    />
  );
}

function choiceInput({ value, required, schema, empty, onChange }: InputProps): Labelled {
  return (
    <Select
      value={typeof value === 'string' ? value : ''}
      onChange={({ target }) => onChange(target.value === '' ? empty : target.value)}
    >
      {!required && schema.default === undefined && <option value="">By itself</option>}
      {schema.enum?.map((each) => (
        <option key={String(each)}>{String(each)}</option>
      ))}
    </Select>
  );
}

interface LinesProps extends Omit<InputProps, 'empty'> {
  id?: string;
  'aria-describedby'?: string;
  'aria-invalid'?: boolean;
}

// Keeps what is typed as it is: a line that is begun is no part of the list yet.
function Lines({ value, schema, onChange, ...rest }: LinesProps) {
  const [text, setText] = useState(() => linesOf(value, schema));
  return (
    <TextArea
      {...rest}
      rows={Math.min(6, Math.max(2, text.split('\n').length))}
      spellCheck={false}
      value={text}
      onChange={({ target }) => {
        setText(target.value);
        const list = listOf(target.value, schema);
        onChange(list.length === 0 && schema.default === undefined ? undefined : list);
      }}
    />
  );
}
