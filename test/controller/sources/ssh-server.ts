import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../world/port.ts';
import { mustRun } from '../../world/process.ts';
import { tempDir, type Scope } from '../../world/temp.ts';

export interface SshServer {
  readonly port: number;
  /** A private key that may log in. */
  readonly identity: string;
  /** A line for known_hosts. */
  readonly hostKey: string;
}

/** A real sshd on the loopback interface, with keys of its own. */
export async function startSshd(t: Scope): Promise<SshServer> {
  const folder = tempDir(t);
  const key = async (name: string) => {
    await mustRun('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, name)]);
    return join(folder, name);
  };
  const [host, client] = [await key('host'), await key('client')];
  writeFileSync(join(folder, 'authorized'), readFileSync(`${client}.pub`));
  const port = await freePort();
  const config = join(folder, 'sshd_config');
  writeFileSync(
    config,
    `ListenAddress 127.0.0.1
Port ${port}
HostKey ${host}
AuthorizedKeysFile ${join(folder, 'authorized')}
StrictModes no
PasswordAuthentication no
PermitRootLogin prohibit-password
UsePAM no
PidFile none
`,
  );
  mkdirSync('/run/sshd', { recursive: true });
  const sshd = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', config], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  t.after(async () => {
    sshd.kill();
    await once(sshd, 'close');
  });
  for await (const line of sshd.stderr) if (/listening/.test(String(line))) break;
  const hostKey = `[127.0.0.1]:${port} ${readFileSync(`${host}.pub`, 'utf8')}`;
  return { port, identity: readFileSync(client, 'utf8'), hostKey };
}
