// The words that options offer to choose from. Kept beside the protocol's own lists, which choices.test.ts compares them with,
// because loading the schemas takes longer than printing a help text.
import type { BudgetPeriod, UsageGrouping } from '../../../protocol/budget.ts';
import type { AtDeadline } from '../../../protocol/scheduling.ts';
import type { Mergeable, ReviewState } from '../../../protocol/change.ts';
import type { EventKind } from '../../../protocol/event.ts';
import type { IntakeDelivery, SourceKindName, Verdict } from '../../../protocol/intake.ts';
import type { IncidentState } from '../../../protocol/incident.ts';
import type { ModelRole } from '../../../protocol/local-model.ts';
import type {
  FILE_SETTINGS as FileSettings,
  ForgeKindName,
  Isolation,
  MergeMethod,
} from '../../../protocol/project.ts';
import type { NotificationDeliveryState, NotificationKind } from '../../../protocol/notification.ts';
import type { Digest } from '../../../protocol/notification-ways.ts';
import type { AfterChange } from '../../../protocol/order-of-work.ts';
import type { PLACEMENT_CHOICES as PlacementChoices } from '../../../protocol/placement.ts';
import type { PersonRole } from '../../../protocol/person.ts';
import type { PurchaseState } from '../../../protocol/purchase.ts';
import type { RunState } from '../../../protocol/run.ts';
import type { TaskState } from '../../../protocol/task.ts';
import type {
  TrafficDecision,
  TrafficSource,
  TRAFFIC_GROUPS as TrafficGroups,
} from '../../../protocol/traffic.ts';

export const ISOLATIONS = ['bubblewrap', 'container', 'gvisor', 'directory'] as const satisfies Isolation[];

/** Those of them that confine; the first is the usual one. */
export const SANDBOXES = ['bubblewrap', 'container', 'gvisor'] as const satisfies Isolation[];

export const TRAFFIC_DECISIONS = ['allowed', 'denied', 'refused'] as const satisfies TrafficDecision[];

export const TRAFFIC_SOURCES = ['spool', 'elasticsearch'] as const satisfies TrafficSource[];

export const TRAFFIC_GROUPS = [
  'run',
  'project',
  'worker',
  'host',
  'decision',
  'method',
] as const satisfies readonly (typeof TrafficGroups)[number][];

export const REVIEW_STATES = [
  'none',
  'commented',
  'approved',
  'changes-requested',
] as const satisfies ReviewState[];

export const MERGEABLE = ['yes', 'conflicts', 'blocked', 'unknown'] as const satisfies Mergeable[];

export const FORGE_KINDS = ['gitea', 'github', 'gitlab'] as const satisfies ForgeKindName[];

export const MERGE_METHODS = ['merge', 'squash', 'rebase'] as const satisfies MergeMethod[];

export const FILE_SETTINGS = [
  'verify',
  'agent',
  'model',
  'environment',
  'limits',
  'reviewers',
  'labels',
  'draft',
] as const satisfies (typeof FileSettings)[number][];

export const AFTER_CHANGE = ['base', 'stack', 'wait'] as const satisfies AfterChange[];

export const PLACEMENT_CHOICES = [
  'local',
  'unit',
  'service',
  'dispatch',
  'any',
] as const satisfies (typeof PlacementChoices)[number][];

export const PERSON_ROLES = ['viewer', 'operator', 'admin'] as const satisfies PersonRole[];

export const PURCHASE_STATES = [
  'proposed',
  'rejected',
  'sending',
  'paid',
  'failed',
  'unknown',
] as const satisfies PurchaseState[];

export const TASK_STATES = [
  'pending',
  'queued',
  'running',
  'completed',
  'failed',
  'cancelled',
] as const satisfies TaskState[];

export const RUN_STATES = [
  'leased',
  'preparing',
  'working',
  'verifying',
  'submitting',
  'succeeded',
  'no-change',
  'planned',
  'failed',
  'cancelled',
  'lost',
  'out-of-time',
  'out-of-budget',
] as const satisfies RunState[];

export const EVENT_KINDS = [
  'project.created',
  'project.changed',
  'person.created',
  'person.changed',
  'person.signed-in',
  'person.refused',
  'task.created',
  'task.state',
  'task.changed',
  'task.message',
  'run.created',
  'run.state',
  'run.plan',
  'change.opened',
  'change.merged',
  'change.closed',
  'change.moved',
  'change.reviewed',
  'change.mergeable',
  'change.followed',
  'worker.online',
  'worker.offline',
  'worker.invited',
  'worker.joined',
  'worker.draining',
  'worker.resumed',
  'worker.removed',
  'fleet.scaled',
  'fleet.dispatched',
  'fleet.mended',
  'budget.set',
  'budget.removed',
  'budget.reached',
  'price.set',
  'purchase.state',
  'prompt.read',
  'secret.revealed',
  'secret.bound',
  'secret.unbound',
  'secret.misused',
  'gpu.warning',
  'gpu.lost',
  'gpu.back',
  'drain.begun',
  'drain.drained',
  'drain.overdue',
  'drain.ended',
  'egress.policy',
  'egress.recording',
  'egress.anomaly',
  'intake.quarantined',
  'intake.unanswered',
  'intake.failed',
  'incident.opened',
  'incident.appended',
  'incident.resolved',
  'incident.reopened',
  'incident.merged',
  'incident.needs-person',
  'notification.told',
] as const satisfies EventKind[];

export const AT_DEADLINE = ['wait', 'cancel', 'stop'] as const satisfies AtDeadline[];

export const MODEL_ROLES = ['coder', 'reasoner', 'small', 'embedding'] as const satisfies ModelRole['role'][];

export const PERIODS = ['day', 'week', 'month', 'total'] as const satisfies BudgetPeriod[];

export const GROUPINGS = [
  'project',
  'task',
  'agent',
  'model',
  'worker',
  'person',
  'day',
] as const satisfies UsageGrouping[];

export const SOURCE_KINDS = [
  'forge',
  'webhook',
  'schedule',
  'sqs',
  'alertmanager',
  'jira',
] as const satisfies SourceKindName[];

export const DELIVERY_STATES = ['waiting', 'done', 'failed'] as const satisfies IntakeDelivery['state'][];

export const VERDICTS = [
  'created',
  'appended',
  'reopened',
  'duplicate',
  'ignored',
  'quarantined',
  'rejected',
] as const satisfies Verdict[];

export const INCIDENT_STATES = ['open', 'settling', 'resolved', 'merged'] as const satisfies IncidentState[];

export const NOTIFICATION_DELIVERY_STATES = [
  'held',
  'waiting',
  'sent',
  'failed',
  'joined',
] as const satisfies NotificationDeliveryState[];

export const DIGESTS = ['off', 'hourly', 'daily'] as const satisfies Digest[];

export const NOTIFICATION_KINDS = [
  'change.ready',
  'change.approved',
  'change.changes-requested',
  'change.conflict',
  'change.stuck',
  'task.failed',
  'task.approval',
  'budget.reached',
  'incident.opened',
  'incident.needs-person',
  'egress.anomaly',
  'secret.misused',
  'intake.approval',
  'intake.failed',
] as const satisfies NotificationKind[];
