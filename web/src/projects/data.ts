// What the pages about projects ask for. The first part of each key is what events make old (live/caches.ts).
import { queryOptions } from '@tanstack/react-query';
import type { Environment } from '../../../protocol/environment.ts';
import type { UsageReport } from '../../../protocol/budget.ts';
import type { DependencyCache } from '../../../protocol/dependency-cache.ts';
import type { Forge } from '../../../protocol/forge.ts';
import type { Memory } from '../../../protocol/memory.ts';
import type { Model, ModelPolicy } from '../../../protocol/model.ts';
import type { ProjectSettings } from '../../../protocol/project-file.ts';
import type { Project, ProjectFigures } from '../../../protocol/project.ts';
import type { Worker } from '../../../protocol/worker.ts';
import { get } from '../api/client.ts';

/** All projects that one may see. */
export const projectsQuery = queryOptions({
  queryKey: ['projects'],
  queryFn: async ({ signal }) => await get<Project[]>('/projects', {}, signal),
});

/** How much there is to do in each. */
export const figuresQuery = queryOptions({
  queryKey: ['tasks', 'by-project'],
  queryFn: async ({ signal }) => await get<ProjectFigures[]>('/project-figures', {}, signal),
});

/** What each has spent this month. */
export const spentQuery = queryOptions({
  queryKey: ['money', 'usage', 'project', 'this month'],
  queryFn: async ({ signal }) => await get<UsageReport>('/usage', { by: 'project' }, signal),
  retry: false,
});

/** One project. */
export const projectQuery = (name: string) =>
  queryOptions({
    queryKey: ['project', name],
    queryFn: async ({ signal }) => await get<Project>(`/projects/${name}`, {}, signal),
  });

/** Which settings hold, and where each comes from. */
export const settingsQuery = (name: string) =>
  queryOptions({
    queryKey: ['project', name, 'settings'],
    queryFn: async ({ signal }) => await get<ProjectSettings>(`/projects/${name}/settings`, {}, signal),
  });

/** What its agents may ask models for. */
export const policyQuery = (name: string) =>
  queryOptions({
    queryKey: ['project', name, 'models'],
    queryFn: async ({ signal }) => await get<ModelPolicy>(`/projects/${name}/models`, {}, signal),
  });

/** The notes as the next run is given them. */
export const memoryQuery = (name: string) =>
  queryOptions({
    queryKey: ['project', name, 'memory'],
    queryFn: async ({ signal }) => await get<Memory[]>(`/projects/${name}/memory`, {}, signal),
  });

/** What workers keep of its dependencies. */
export const cachesQuery = (name: string) =>
  queryOptions({
    queryKey: ['project', name, 'dependencies'],
    queryFn: async ({ signal }) => await get<DependencyCache[]>(`/projects/${name}/dependencies`, {}, signal),
  });

/** Models that can be asked for. */
export const modelsQuery = queryOptions({
  queryKey: ['models', 'offered'],
  queryFn: async ({ signal }) => await get<Model[]>('/models', {}, signal),
});

/** Workers with their agents; not open to whoever has a role in some projects only. */
export const workersQuery = queryOptions({
  queryKey: ['workers', 'all'],
  queryFn: async ({ signal }) => await get<Worker[]>('/workers', {}, signal),
  retry: false,
});

/** Forges that are known here. */
export const forgesQuery = queryOptions({
  queryKey: ['forges'],
  queryFn: async ({ signal }) => await get<Forge[]>('/forges', {}, signal),
});

/** Environments that a project can name. */
export const environmentsQuery = queryOptions({
  queryKey: ['environments'],
  queryFn: async ({ signal }) => await get<Environment[]>('/environments', {}, signal),
});
