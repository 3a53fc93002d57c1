// What somebody says of a new project, and what of it the API gets.
import type { ModelPolicyPatch } from '../../../protocol/model.ts';
import type { Isolation, Project, ProjectInput, VerifyCommand } from '../../../protocol/project.ts';
import type { RepositoryLook } from '../../../protocol/repository-look.ts';
import { send } from '../api/client.ts';
import { queries } from '../api/queries.ts';
import { toastProblem } from '../ui/toasts.tsx';
import { argumentsOf } from './arguments.ts';

/** As it stands in the fields. */
export interface NewProject {
  origin: string;
  /** A new, empty repository is hosted here. */
  hosted: boolean;
  name: string;
  branch: string;
  token: string;
  verify: VerifyCommand[];
  agent: string;
  /** Of the agent `command`: program and arguments, one a line. */
  agentCommand: string;
  model: string;
  isolation: Isolation;
  trusted: boolean;
  external: boolean;
  allowDirty: boolean;
}

export const BLANK: NewProject = {
  origin: '',
  hosted: false,
  name: '',
  branch: '',
  token: '',
  verify: [],
  agent: '',
  agentCommand: '',
  model: '',
  isolation: 'bubblewrap',
  trusted: false,
  external: false,
  allowDirty: false,
};

/** What a look found, where nothing was typed yet. */
export function withFound(typed: NewProject, look: RepositoryLook): NewProject {
  return {
    ...typed,
    origin: look.origin,
    name: typed.name === '' ? (look.name ?? '') : typed.name,
    branch: look.defaultBranch ?? '',
    verify: look.verify,
  };
}

/** What is sent; what was left as it was found is found again, so that the repository goes on deciding it. */
export function projectInputOf(typed: NewProject, look: RepositoryLook | undefined): Partial<ProjectInput> {
  const verified = JSON.stringify(typed.verify) !== JSON.stringify(look?.verify ?? []);
  const where = {
    repository: typed.origin.trim(),
    ...(typed.branch === '' ? {} : { defaultBranch: typed.branch }),
    ...(typed.token === '' ? {} : { forge: { token: typed.token.trim() } }),
    ...(typed.allowDirty ? { allowDirty: true } : {}),
  };
  return {
    name: typed.name.trim(),
    ...(typed.hosted ? {} : where),
    ...(verified ? { verify: typed.verify } : {}),
    ...(typed.agent === '' ? {} : { agent: typed.agent }),
    ...(typed.agent === 'command' ? { agentCommand: argumentsOf(typed.agentCommand) } : {}),
    ...(typed.model === '' ? {} : { model: typed.model }),
    isolation: typed.isolation,
    trusted: typed.isolation === 'directory' && typed.trusted,
  };
}

/** Makes the project. */
export async function makeProject(typed: NewProject, look: RepositoryLook | undefined): Promise<Project> {
  const made = await send<Project>('POST', '/projects', projectInputOf(typed, look));
  if (typed.external) {
    const policy: ModelPolicyPatch = { external: true };
    await send('PATCH', `/projects/${made.name}/models`, policy).catch(toastProblem); // the project is there, and shows it
  }
  await queries.invalidateQueries({ queryKey: ['projects'] });
  await queries.invalidateQueries({ queryKey: ['forges'] });
  return made;
}
