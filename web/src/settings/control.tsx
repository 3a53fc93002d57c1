// The element in which a setting is changed, by the schema of its values.
import { cloneElement } from 'react';
import type { Setting } from '../../../protocol/settings.ts';
import { Input } from '../ui/field.tsx';
import { inputFor } from '../ui/schema-inputs.tsx';
import { shapeOf, type JsonSchema } from '../ui/schema.ts';
import type { Edit } from './draft.ts';
import { YamlInput } from './yaml-input.tsx';

interface ControlProps {
  setting: Setting;
  value: unknown;
  onEdit: (edit: Edit) => void;
  id: string;
  'aria-describedby': string;
  'aria-invalid': boolean;
  disabled: boolean;
}

/** Its changes are edits of the draft; what is left empty goes back to the default. */
export function Control({ setting, value, onEdit, ...rest }: ControlProps) {
  const schema = setting.schema as JsonSchema;
  const onChange = (to: unknown) => onEdit({ value: to });
  switch (kindOf(schema)) {
    case 'switch':
      return (
        <span className="flex min-h-7 items-center gap-2">
          <input
            {...rest}
            type="checkbox"
            className="size-4 accent-accent"
            checked={value === true}
            onChange={({ target }) => onChange(target.checked)}
          />
          {value === true ? 'on' : 'off'}
        </span>
      );
    case 'word or number':
      return (
        <Input
          {...rest}
          spellCheck={false}
          value={typeof value === 'string' || typeof value === 'number' ? String(value) : ''}
          onChange={({ target }) => onChange(wordOrNumber(target.value))}
        />
      );
    case 'deep':
      return <YamlInput {...rest} value={value} onEdit={onEdit} />;
    default:
      return cloneElement(
        inputFor({ schema, value, required: schema.enum !== undefined, empty: undefined, onChange }),
        rest,
      );
  }
}

type Kind = 'switch' | 'word or number' | 'lines' | 'deep' | 'plain';

/** Which kind of element a schema needs. */
export function kindOf(schema: JsonSchema): Kind {
  const shape = shapeOf(schema);
  if (shape === 'switch') return 'switch';
  if (schema.anyOf !== undefined) return 'word or number';
  if (shape === 'lines') return isOfWords(schema.items) ? 'lines' : 'deep';
  return ['choice', 'number', 'text'].includes(shape) ? 'plain' : 'deep';
}

const SIMPLE = ['string', 'integer', 'number'];

function isOfWords({ type, anyOf = [] }: JsonSchema = {}): boolean {
  return SIMPLE.includes(String(type)) || (anyOf.length > 0 && anyOf.every((each) => each.type === 'string'));
}

function wordOrNumber(text: string): unknown {
  if (text.trim() === '') return undefined;
  return /^\d{1,15}$/.test(text.trim()) ? Number(text) : text;
}
