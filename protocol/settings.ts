// The configuration as GET and PATCH /settings tell and change it: each key with what it is now, and where that is from.
// Used by the API and the page that is made from it.
import { z } from 'zod';
import { Timestamp } from './ids.ts';
import { text } from './text.ts';

const Key = text().min(1).max(100);
const MOST_KEYS = 300;

export const SettingMistake = z
  .object({
    path: z.string().meta({ description: 'The key, and what of its value, as `models.engines.0.url`.' }),
    message: z.string().meta({ description: 'Follows the key in a sentence.' }),
    where: z.string().meta({ description: 'Place in the file, variable or flag.' }),
  })
  .meta({ id: 'ConfigurationMistake' });
export type SettingMistake = z.infer<typeof SettingMistake>;

export const Setting = z
  .object({
    path: z.string().meta({ description: 'The key, as `api.port`.' }),
    group: z.string().meta({ description: 'First part of the key; `general` for those of one part.' }),
    description: z.string(),
    schema: z.record(z.string(), z.unknown()).meta({ description: 'JSON schema of its values.' }),
    value: z.unknown().meta({ description: 'What the daemon works with; null where nothing is set.' }),
    default: z.unknown().meta({ description: 'Null where there is none.' }),
    defaultMeans: z
      .string()
      .nullable()
      .meta({ description: 'The default in words, where it depends on the machine.' }),
    secret: z.boolean().meta({ description: 'The password in its value is shown as `***`.' }),
    source: z.string().meta({ description: 'File with line and column, variable, `--set`, or `default`.' }),
    fixedBy: z
      .string()
      .nullable()
      .meta({ description: 'The variable or flag that goes before the file: it cannot be changed here.' }),
    inFile: z.boolean().meta({ description: 'Whether the file sets it now.' }),
    pending: z
      .object({ value: z.unknown() })
      .nullable()
      .meta({ description: 'What holds from the next start, where that differs.' }),
  })
  .meta({ id: 'ConfigurationKey' });
export type Setting = z.infer<typeof Setting>;

export const Settings = z
  .object({
    version: z.string().meta({ description: 'Of the file; a change names the one that it was made from.' }),
    file: z.string(),
    exists: z.boolean().meta({ description: 'False: the file is made with the first change.' }),
    readOnly: z
      .object({ reason: z.string(), remedy: z.string() })
      .nullable()
      .meta({ description: 'Why the daemon cannot change the file, and what to do.' }),
    mistakes: z.array(SettingMistake).meta({
      description: 'What somebody has written into the file that would keep the daemon from starting.',
    }),
    failure: z.string().nullable().meta({
      description: 'Why the last restart could not take what the file says, and went on with what holds.',
    }),
    restart: z.boolean().meta({
      description: 'Whether POST /restart takes it up; else the daemon is restarted on its machine.',
    }),
    startedAt: Timestamp,
    keys: z.array(Setting),
  })
  .meta({ id: 'Configuration' });
export type Settings = z.infer<typeof Settings>;

export const SettingsPatch = z
  .strictObject({
    version: text()
      .max(100)
      .meta({ description: 'The version that was seen; when it is another by now, nothing is changed.' }),
    set: z
      .record(Key, z.unknown())
      .refine((set) => Object.keys(set).length <= MOST_KEYS, `has more than ${MOST_KEYS} keys`)
      .default({})
      .meta({ description: 'Values by key; a list is given whole.' }),
    unset: z.array(Key).max(MOST_KEYS).default([]).meta({
      description: 'Keys that go back to their defaults; a part, as `tls`, goes with all that is in it.',
    }),
  })
  .meta({ id: 'ConfigurationPatch' });
export type SettingsPatch = z.infer<typeof SettingsPatch>;

export const Restart = z
  .strictObject({
    startedAt: Timestamp.meta({ description: 'Of the start that is seen; a newer one is left alone.' }),
  })
  .meta({ id: 'Restart' });
export type Restart = z.infer<typeof Restart>;
