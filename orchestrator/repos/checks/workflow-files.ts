// Rule `workflow-files`: what a forge or a build server runs by itself, with rights and secrets of its own.
import { matchesAny } from './glob.ts';
import type { Rule } from './rule.ts';

const RUN_BY_OTHERS = [
  '.github/workflows/',
  '.github/actions/',
  '.gitea/workflows/',
  '.gitea/actions/',
  '.forgejo/workflows/',
  '.forgejo/actions/',
  '**/.gitlab-ci.yml',
  '**/.gitlab-ci.yaml',
  '**/*.gitlab-ci.yml',
  '.gitlab/ci/',
  '.circleci/',
  '.buildkite/',
  '.woodpecker/',
  '.tekton/',
  '.semaphore/',
  '.woodpecker.y*ml',
  '.drone.y*ml',
  '.drone.jsonnet',
  '.travis.yml',
  '.cirrus.y*ml',
  '.cirrus.star',
  '.appveyor.yml',
  'appveyor.yml',
  '**/jenkinsfile',
  '**/jenkinsfile.*',
  '**/*.jenkinsfile',
  'azure-pipelines.y*ml',
  'azure-pipelines/',
  '.azure-pipelines/',
  '.azuredevops/',
  'bitbucket-pipelines.yml',
  'buildspec.y*ml',
  'cloudbuild.y*ml',
  '.teamcity/',
  '.harness/',
  '.zuul.y*ml',
  '.zuul.d/',
  'zuul.d/',
];

export const workflowFiles: Rule = {
  name: 'workflow-files',
  find: ({ files }) =>
    files
      .filter(({ path }) => matchesAny(path.toLowerCase(), RUN_BY_OTHERS))
      .map(({ path, status }) => ({
        path,
        reason: `it was ${status}: a build server runs it with rights of its own`,
        remedy: 'leave build and workflow files as they were',
      })),
};
