// The rules, in the order in which their findings are told.
import { binaryBlobs } from './binary-blobs.ts';
import { codeowners } from './codeowners.ts';
import { fileModes } from './file-modes.ts';
import { lockfiles } from './lockfiles.ts';
import { outsideTarget } from './outside-target.ts';
import { projectFile } from './project-file.ts';
import type { Rule } from './rule.ts';
import { secrets } from './secrets.ts';
import { size } from './size.ts';
import { submodules } from './submodules.ts';
import { symlinks } from './symlinks.ts';
import { workflowFiles } from './workflow-files.ts';

export const RULES: readonly Rule[] = [
  secrets,
  symlinks,
  submodules,
  workflowFiles,
  projectFile,
  codeowners,
  outsideTarget,
  size,
  lockfiles,
  binaryBlobs,
  fileModes,
];
