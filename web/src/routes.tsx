// The table of pages. A page is a folder of its own, loaded when it is first shown; its line here is all that it needs.
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { Boundary } from './shell/boundary.tsx';
import { NotFound } from './shell/not-found.tsx';
import { Shell } from './shell/shell.tsx';

const root = createRootRoute({ component: Shell, errorComponent: Boundary, notFoundComponent: NotFound });

/** A page at a path, exported under `name` by the module that `load` imports. */
function page<M extends Record<string, unknown>, K extends keyof M & string>(
  path: string,
  load: () => Promise<M>,
  name: K,
) {
  return createRoute({
    getParentRoute: () => root,
    path,
    component: lazyRouteComponent(load, name),
    errorComponent: Boundary,
  });
}

export const router = createRouter({
  routeTree: root.addChildren([
    page('/', () => import('./board/board-page.tsx'), 'BoardPage'),
    page('/tasks/$task', () => import('./task/task-page.tsx'), 'TaskPage'),
    page('/runs/$run/log', () => import('./log/log-page.tsx'), 'LogPage'),
    page('/review', () => import('./review/review-page.tsx'), 'ReviewPage'),
    page('/changes/$change', () => import('./review/change-page.tsx'), 'ChangePage'),
    page('/inbox', () => import('./inbox/inbox-page.tsx'), 'InboxPage'),
    page('/projects', () => import('./projects/projects-page.tsx'), 'ProjectsPage'),
    page('/projects/$project', () => import('./projects/project-page.tsx'), 'ProjectPage'),
    page('/first-run', () => import('./first-run/first-run-page.tsx'), 'FirstRunPage'),
    page('/intake', () => import('./intake/intake-page.tsx'), 'IntakePage'),
    page('/incidents', () => import('./incidents/incidents-page.tsx'), 'IncidentsPage'),
    page('/incidents/$incident', () => import('./incidents/incident-page.tsx'), 'IncidentPage'),
    page('/fleet', () => import('./fleet/fleet-page.tsx'), 'FleetPage'),
    page('/fleet/allocations/$allocation', () => import('./fleet/allocation-page.tsx'), 'AllocationPage'),
    page('/money', () => import('./money/money-page.tsx'), 'MoneyPage'),
    page('/traffic', () => import('./traffic/traffic-page.tsx'), 'TrafficPage'),
    page('/system', () => import('./system/system-page.tsx'), 'SystemPage'),
    page('/settings', () => import('./settings/settings-page.tsx'), 'SettingsPage'),
    page('/people', () => import('./people/people-page.tsx'), 'PeoplePage'),
    page('/account', () => import('./people/account-page.tsx'), 'AccountPage'),
    page('/audit', () => import('./people/audit-page.tsx'), 'AuditPage'),
  ]),
  defaultPreload: 'intent',
  scrollRestoration: true,
});
