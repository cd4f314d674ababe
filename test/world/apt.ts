/** The machine's own apt, in a root of its own: nothing of the host's configuration is read. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { run, type Finished } from './process.ts';

export interface AptRootOptions {
  readonly architecture?: string;
  /** Translations to fetch; none by default. */
  readonly languages?: readonly string[];
  /** More lines of apt.conf(5). */
  readonly config?: string;
}

export interface AptRoot {
  readonly path: string;
  /** Replaces the sources: deb822 if it says `Types:`, else the one-line style. */
  writeSources(text: string): void;
  /** Replaces auth.conf: apt_auth.conf(5). */
  writeAuth(text: string): void;
  /** A keyring file for `signed-by=`; gives its path. */
  writeKeyring(name: string, armored: string): string;
  update(): Promise<Finished>;
  /** Downloads a .deb; `file` is where it is, if that worked. */
  download(packageName: string): Promise<Finished & { readonly file: string | undefined }>;
  /** Downloads the files of a source package. */
  source(packageName: string): Promise<Finished & { readonly files: readonly string[] }>;
  /** The candidate version; undefined when there is none. */
  policy(packageName: string): Promise<string | undefined>;
  /** Any other command: `apt('apt-cache', ['show', 'hello'])`. */
  apt(program: string, args: readonly string[], cwd?: string): Promise<Finished>;
}

/** Makes the root below an existing folder, such as one of `tempDir`. */
export function createAptRoot(folder: string, options: AptRootOptions = {}): AptRoot {
  const config = path.join(folder, 'apt.conf');
  const directories = [
    'state/lists/partial',
    'cache/archives/partial',
    'etc/parts',
    'etc/none.d',
    'etc/preferences.d',
    'downloads',
  ];
  for (const name of directories) mkdirSync(path.join(folder, name), { recursive: true });
  writeFileSync(path.join(folder, 'status'), '');
  writeFileSync(config, configText(folder, options));

  const apt = (program: string, args: readonly string[], cwd?: string) =>
    run(program, args, { env: aptEnvironment(config), ...(cwd !== undefined && { cwd }) });
  const fetchInto = async (program: readonly [string, ...string[]], packageName: string) => {
    const place = mkdtempSync(path.join(folder, 'downloads/'));
    const [name, ...args] = program;
    const finished = await apt(name, [...args, packageName], place);
    return { ...finished, files: readdirSync(place).map((file) => path.join(place, file)) };
  };

  return {
    path: folder,
    apt,
    writeSources(text) {
      const [name, other] = /^Types:/m.test(text) ? ['sources', 'list'] : ['list', 'sources'];
      rmSync(path.join(folder, `etc/parts/cairn.${other}`), { force: true });
      writeFileSync(path.join(folder, `etc/parts/cairn.${name}`), `${text.trimEnd()}\n`);
    },
    writeAuth: (text) => writeFileSync(path.join(folder, 'etc/auth.conf'), text, { mode: 0o600 }),
    writeKeyring(name, armored) {
      const file = path.join(folder, 'etc', `${name}.asc`);
      writeFileSync(file, armored);
      return file;
    },
    update: () => apt('apt-get', ['update']),
    async download(packageName) {
      const finished = await fetchInto(['apt-get', 'download'], packageName);
      return { ...finished, file: finished.files.find((file) => file.endsWith('.deb')) };
    },
    source: (packageName) => fetchInto(['apt-get', 'source', '--download-only'], packageName),
    async policy(packageName) {
      const { stdout } = await apt('apt-cache', ['policy', packageName]);
      const candidate = /^ +Candidate: (.*)$/m.exec(stdout)?.[1];
      return candidate === '(none)' ? undefined : candidate;
    },
  };
}

/**
 * Everything that a host may have changed is set here. Images of containers and of tests often turn
 * the date checks off; the tests are about them.
 */
function configText(folder: string, options: AptRootOptions): string {
  const { architecture = 'amd64', languages = [], config = '' } = options;
  const list = languages.map((language) => `"${language}";`).join(' ');
  return `Dir "${folder}";
Dir::State "${folder}/state";
Dir::State::status "${folder}/status";
Dir::Cache "${folder}/cache";
Dir::Etc "${folder}/etc";
Dir::Etc::main "none";
Dir::Etc::parts "none.d";
Dir::Etc::sourcelist "none";
Dir::Etc::sourceparts "parts";
Dir::Etc::trusted "none";
Dir::Etc::trustedparts "none.d";
Dir::Etc::netrc "auth.conf";
Dir::Etc::netrcparts "none.d";
Dir::Log "${folder}";
APT::Architecture "${architecture}";
APT::Architectures { "${architecture}"; };
APT::Sandbox::User "root";
Acquire::Languages { ${list === '' ? '"none";' : list} };
Acquire::Check-Date "true";
Acquire::Check-Valid-Until "true";
Acquire::Retries "0";
Acquire::http::Timeout "20";
${config}
`;
}

/** Without proxies: everything is on this machine. */
function aptEnvironment(config: string): Record<string, string | undefined> {
  const proxies = ['http_proxy', 'https_proxy', 'all_proxy', 'HTTP_PROXY', 'HTTPS_PROXY'];
  return {
    ...Object.fromEntries(proxies.map((name) => [name, undefined])),
    APT_CONFIG: config,
    LC_ALL: 'C.UTF-8',
    DEBIAN_FRONTEND: 'noninteractive',
  };
}
