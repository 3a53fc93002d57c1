// One key of the configuration: what it is about, what it is, where that is from, and how it goes back to its default.
import { useState } from 'react';
import type { Setting } from '../../../protocol/settings.ts';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Told } from '../ui/told.tsx';
import type { JsonSchema } from '../ui/schema.ts';
import { Control, kindOf } from './control.tsx';
import { inWords, shownOf, type Draft, type Edit } from './draft.ts';
import { sizeOf, unitOf } from './words.ts';

interface SettingRowProps {
  setting: Setting;
  draft: Draft;
  mistakes: string[];
  readOnly: boolean;
  onEdit: (setting: Setting, edit: Edit) => void;
}

const HOW: Partial<Record<ReturnType<typeof kindOf>, string>> = { lines: 'One a line. ', deep: 'As YAML. ' };

/** The row; its anchor is the key. */
export function SettingRow({ setting, draft, mistakes, readOnly, onEdit }: SettingRowProps) {
  const { path, description, fixedBy, inFile, pending } = setting;
  const [resets, setResets] = useState(0);
  const edit = draft.get(path);
  const wrong = [...(edit !== undefined && 'wrong' in edit ? [edit.wrong] : []), ...mistakes];
  const isReset = edit !== undefined && 'value' in edit && edit.value === undefined;
  const value = shownOf(draft, setting);
  const reset = () => {
    setResets(resets + 1); // what is typed into a field of several lines is the field's own
    onEdit(setting, { value: undefined });
  };
  return (
    <div
      id={path}
      className="grid scroll-mt-16 gap-x-6 gap-y-1.5 px-3 py-2.5 target:bg-accent/8 side:grid-cols-[minmax(0,1fr)_minmax(0,24rem)]"
    >
      <div className="min-w-0 space-y-1">
        <div className="flex flex-wrap items-center gap-x-2 gap-y-1">
          <label htmlFor={`${path}-value`} className="font-mono text-sm font-medium break-all">
            {path}
          </label>
          {edit !== undefined && (
            <Badge tone="info">{isReset ? 'reset, not saved' : 'changed, not saved'}</Badge>
          )}
          {pending !== null && <Badge tone="warn">waits for the next start</Badge>}
        </div>
        <p className="text-muted">
          <Told words={description} />
        </p>
      </div>
      <div className="min-w-0 space-y-1">
        <Control
          key={resets}
          setting={setting}
          value={value}
          onEdit={(to) => onEdit(setting, to)}
          id={`${path}-value`}
          aria-describedby={`${path}-told`}
          aria-invalid={wrong.length > 0}
          disabled={readOnly || fixedBy !== null}
        />
        <div id={`${path}-told`} className="space-y-1 text-sm text-muted">
          {wrong.map((each) => (
            <p key={each} className="text-bad">
              <Told words={each} />
            </p>
          ))}
          <Facts setting={setting} value={value} />
        </div>
        {inFile && !isReset && fixedBy === null && !readOnly && (
          <Button look="quiet" className="-ml-2.5" onClick={reset}>
            Reset to default <span className="sr-only">{path}</span>
          </Button>
        )}
      </div>
    </div>
  );
}

function Facts({ setting, value }: { setting: Setting; value: unknown }) {
  const { fixedBy, source, secret, pending } = setting;
  const isOff = value === null && setting.default !== null;
  const unit = unitOf(setting);
  const how = HOW[kindOf(setting.schema as JsonSchema)];
  const size = unit === 'bytes' && typeof value === 'number' ? sizeOf(value) : undefined;
  return (
    <p className="break-words">
      {fixedBy === null ? (
        <>
          {how}
          {isOff && 'Off: nothing of its part is set. '}
          {unit !== undefined && (
            <>
              In {unit}
              {size === undefined ? '' : `: ${size}`}.{' '}
            </>
          )}
          Default: <Default setting={setting} />.
          {pending !== null && (
            <>
              {' '}
              Holds now: <bdi>{inWords(setting.value)}</bdi>.
            </>
          )}
          {source !== 'default' && (
            <>
              {' '}
              From <bdi>{source.replace(/^.*\//, '')}</bdi>.
            </>
          )}
          {secret && ' A password in it is shown as ***, and stays as it is.'}
        </>
      ) : (
        <>
          Set by <code>{fixedBy}</code>, which goes before the file: change it there.
        </>
      )}
    </p>
  );
}

function Default({ setting }: { setting: Setting }) {
  if (setting.defaultMeans !== null) return <Told words={setting.defaultMeans} />;
  return setting.default === null ? 'none' : <code className="break-all">{inWords(setting.default)}</code>;
}
