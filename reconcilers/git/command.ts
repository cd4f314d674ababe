import { CairnError } from '../../crds/reasons.ts';
import { redact } from '../redact.ts';
import type { GitAccess } from './access.ts';

export interface GitRun {
  /** The repository to run in. */
  readonly cwd: string;
  /** The file that stands for the configuration of the user and of the machine. */
  readonly config: string;
  readonly access: GitAccess;
  readonly signal: AbortSignal;
  /** How repositories may be reached, `:` between them; every way that people may declare when left out. */
  readonly protocols?: string | undefined;
  /** git is ended when it prints more. */
  readonly mostBytes?: number | undefined;
}

/** What is taken over from the environment of the server: nothing that changes what git does. */
const inherited =
  /^(PATH|HOME|TMPDIR|SSH_AUTH_SOCK|SSL_CERT_(FILE|DIR)|GIT_SSL_CAINFO|(https?|all|no)_proxy)$/i;

const declared = 'file:git:http:https:ssh';

/** git is ended when nothing is heard of it for so long. */
const silenceMs = 60_000;
const commandMs = 600_000;
const maxMessage = 400;

/**
 * The configuration of every git command: no hooks, no filters, no submodules, no writes by a
 * daemon. Ownership is not asked for: the location was declared by whoever runs Cairn.
 */
export const gitConfiguration = `[core]
	hooksPath = /dev/null
	fsmonitor = false
	autocrlf = false
[safe]
	directory = *
[gc]
	autoDetach = false
[submodule]
	recurse = false
[fetch]
	recurseSubmodules = false
[http]
	lowSpeedLimit = 1
	lowSpeedTime = 60
[advice]
	detachedHead = false
`;

/**
 * Runs git and gives its output. Throws `ConfigUnreachable` with git's own words, without secrets, and
 * `SourceInvalid` when it prints too much.
 */
export async function runGit(args: readonly string[], run: GitRun): Promise<string> {
  // Loaded when first needed: most commands of the CLI have nothing to do with git.
  const { simpleGit } = await import('simple-git');
  const env = environment(run);
  const tooMuch = new AbortController();
  const git = simpleGit({
    baseDir: run.cwd,
    abort: AbortSignal.any([run.signal, tooMuch.signal, AbortSignal.timeout(commandMs)]),
    timeout: { block: silenceMs },
    allowEnvironment: Object.keys(env),
    unsafe: {
      allowUnsafeConfigEnvCount: true,
      allowUnsafeConfigPaths: true,
      allowUnsafeSshCommand: true,
    },
  }).env(env);
  const { mostBytes } = run;
  if (mostBytes !== undefined) {
    git.outputHandler((_command, stdout) => {
      let bytes = 0;
      stdout.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > mostBytes) tooMuch.abort();
      });
    });
  }
  try {
    return await git.raw([...args]);
  } catch (error) {
    if (tooMuch.signal.aborted) {
      throw new CairnError('SourceInvalid', `git ${args[0] ?? ''} has no end: it printed too much`);
    }
    const text = error instanceof Error ? error.message : String(error);
    throw new CairnError('ConfigUnreachable', cleaned(text, run.access.secrets));
  }
}

function environment({ config, access, protocols = declared }: GitRun): Record<string, string> {
  const env: Record<string, string> = {
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: config,
    GIT_ALLOW_PROTOCOL: protocols,
    GIT_SSH_COMMAND: 'ssh -o BatchMode=yes -o ConnectTimeout=30',
  };
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && inherited.test(name)) env[name] = value;
  }
  return { ...env, ...access.env };
}

/** What git says is wrong, on one line. */
function cleaned(text: string, secrets: readonly string[]): string {
  let clean = text;
  // The longest first: one may be a part of another.
  for (const secret of [...secrets].sort((a, b) => b.length - a.length)) {
    clean = clean.replaceAll(secret, '***');
  }
  const lines = redact(clean)
    .split(/[\r\n]+/)
    .filter(Boolean);
  const telling = lines.filter((line) =>
    /^(fatal|error|remote|ssh|Permission|Host key)|Permission denied/.test(line),
  );
  const said = (telling.length > 0 ? telling : lines).join('; ');
  return said.length > maxMessage ? `${said.slice(0, maxMessage)}…` : said;
}
