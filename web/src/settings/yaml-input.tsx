// A value that has parts, written as YAML; what does not parse is told while it is written.
import { useState, type ComponentProps } from 'react';
import { parse, stringify } from 'yaml';
import { TextArea } from '../ui/field.tsx';
import type { Edit } from './draft.ts';

interface YamlInputProps extends Omit<ComponentProps<'textarea'>, 'value' | 'onChange'> {
  value: unknown;
  onEdit: (edit: Edit) => void;
}

/** Keeps what is typed as it is; empty means that nothing is set. */
export function YamlInput({ value, onEdit, ...rest }: YamlInputProps) {
  const [text, setText] = useState(() => textOf(value));
  return (
    <TextArea
      {...rest}
      className="font-mono text-sm"
      rows={Math.min(16, Math.max(2, text.split('\n').length))}
      spellCheck={false}
      value={text}
      onChange={({ target }) => {
        setText(target.value);
        onEdit(editOf(target.value));
      }}
    />
  );
}

function textOf(value: unknown): string {
  const isEmpty = value === null || value === undefined || Object.keys(value).length === 0;
  return isEmpty ? '' : stringify(value).trimEnd();
}

function editOf(text: string): Edit {
  if (text.trim() === '') return { value: undefined };
  try {
    return { value: parse(text) as unknown };
  } catch (error) {
    return { wrong: `This is no YAML: ${(error as Error).message.split('\n')[0]}` };
  }
}
