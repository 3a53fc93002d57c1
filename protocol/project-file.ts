// `.autocode.yaml`, what a repository says itself of how work on it is done. Read by repos/project-file/; its JSON schema
// is docs/autocode.schema.json.
import { z } from 'zod';
import { CommitId, Name } from './ids.ts';
import { ProjectInput, RunLimits, VerifyCommand } from './project.ts';
import { text } from './text.ts';

/** Its name, at the root of the repository. */
export const PROJECT_FILE = '.autocode.yaml';

const { agent, model, environment, reviewers, labels } = ProjectInput.shape;

const FileLimits = RunLimits.pick({ deadlineMinutes: true, maxIterations: true, verifyTimeoutMinutes: true });
export type FileLimits = z.infer<typeof FileLimits>;

export const ProjectFile = z
  .strictObject({
    verify: z.array(z.strictObject(VerifyCommand.shape)).max(50).optional().meta({
      description: 'Commands that every result must pass, in this order; `[]`: none.',
    }),
    agent: agent.meta({ description: 'Name of a coding agent.' }),
    model: model.meta({ description: 'Model, as `engine/model`.' }),
    environment: environment.meta({
      description: 'Where the programs of its runs come from: one of `autocode environment list`.',
    }),
    limits: z.strictObject(FileLimits.shape).optional().meta({
      description: 'Limits of a run; they may be tighter than those of the installation, never wider.',
    }),
    reviewers: reviewers.meta({
      description: 'Asked to review each change: login names, and teams as `organisation/team`.',
    }),
    labels: labels.meta({ description: 'Labels of each pull request.' }),
    draft: z.boolean().optional().meta({ description: 'Pull requests are opened as drafts.' }),
    egress: z
      .strictObject({
        hosts: z
          .array(
            z
              .string()
              .max(253)
              .regex(
                /^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(:\d{1,5})?$/,
                'name a host, as registry.example.com, *.example.com or host:8443',
              ),
          )
          .max(200)
          .default([]),
      })
      .optional()
      .meta({ description: 'Hosts that work on it would like to reach. A wish: nothing is granted by it.' }),
    instructions: text()
      .max(20_000)
      .optional()
      .meta({ description: 'How things are done here; given to the agent with every task.' }),
  })
  .meta({ id: 'ProjectFile', description: 'What a repository says itself of how work on it is done.' });
export type ProjectFile = z.infer<typeof ProjectFile>;

export const FileProblem = z
  .object({
    line: z.number().int().nullable(),
    key: z.string().nullable(),
    message: z.string(),
    remedy: z.string().nullable(),
  })
  .meta({ id: 'ProjectFileProblem' });
export type FileProblem = z.infer<typeof FileProblem>;

/** The file as it is at one commit. */
export const FileReading = z
  .object({
    commit: CommitId.nullable().meta({ description: 'Null: a text that was checked, not a commit.' }),
    content: ProjectFile.nullable().meta({ description: 'Null when there is none, or it is not valid.' }),
    problems: z.array(FileProblem),
  })
  .meta({ id: 'ProjectFileReading' });
export type FileReading = z.infer<typeof FileReading>;

export const SETTING_SOURCES = ['project', 'file', 'found', 'installation'] as const;
export const Setting = z
  .object({
    name: z.string(),
    value: z.unknown(),
    source: z.enum(SETTING_SOURCES).meta({
      description:
        '`project`: set there; `file`: by .autocode.yaml; `found`: from the files of the repository; `installation`: its default.',
    }),
    note: z.string().nullable(),
  })
  .meta({ id: 'Setting' });
export type Setting = z.infer<typeof Setting>;

export const ProjectSettings = z
  .object({ project: Name, file: FileReading.nullable(), settings: z.array(Setting) })
  .meta({ id: 'ProjectSettings' });
export type ProjectSettings = z.infer<typeof ProjectSettings>;
