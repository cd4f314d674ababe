import type { Command } from './command.ts';

interface Entry {
  readonly name: string;
  /** Loads the command's file: a command that isn't run costs nothing. */
  load(): Promise<{ readonly command: Command }>;
}

/** All commands in the order of `cairn help`, by what people want to do. */
export const commandGroups: Readonly<Record<string, readonly Entry[]>> = {
  'Get going': [
    { name: 'run', load: () => import('./run.ts') },
    { name: 'init', load: () => import('./init.ts') },
  ],
  'Change what is declared': [
    { name: 'validate', load: () => import('./validate.ts') },
    { name: 'plan', load: () => import('./plan.ts') },
    { name: 'apply', load: () => import('./apply.ts') },
    { name: 'delete', load: () => import('./delete.ts') },
    { name: 'annotate', load: () => import('./annotate.ts') },
    { name: 'suspend', load: () => import('./suspend.ts') },
    { name: 'resume', load: () => import('./resume.ts') },
  ],
  'See what is': [
    { name: 'get', load: () => import('./get.ts') },
    { name: 'describe', load: () => import('./describe.ts') },
    { name: 'wait', load: () => import('./wait.ts') },
    { name: 'logs', load: () => import('./logs.ts') },
    { name: 'diff', load: () => import('./diff.ts') },
  ],
  'Make it happen': [
    { name: 'reconcile', load: () => import('./reconcile.ts') },
    { name: 'build', load: () => import('./build.ts') },
    { name: 'cancel', load: () => import('./cancel.ts') },
    { name: 'publish', load: () => import('./publish.ts') },
    { name: 'unpublish', load: () => import('./unpublish.ts') },
    { name: 'promote', load: () => import('./promote.ts') },
    { name: 'rollback', load: () => import('./rollback.ts') },
    { name: 'approve', load: () => import('./approve.ts') },
  ],
  'About Cairn': [
    { name: 'kubeconfig', load: () => import('./kubeconfig.ts') },
    { name: 'version', load: () => import('./version.ts') },
    { name: 'completion', load: () => import('./completion.ts') },
  ],
};

export const commandNames: readonly string[] = Object.values(commandGroups)
  .flat()
  .map(({ name }) => name);

/** The command of a name, loaded; undefined when there is none. */
export async function loadCommand(name: string): Promise<Command | undefined> {
  const entry = Object.values(commandGroups)
    .flat()
    .find((candidate) => candidate.name === name);
  return entry && (await entry.load()).command;
}
