import type Docker from 'dockerode';
import { buffer } from 'node:stream/consumers';
import Dockerode from 'dockerode';
import { treeOf } from '../../test/builders/docker/world.ts';
import type { Scope } from '../../test/world/temp.ts';

const script =
  'mkdir -p /root/$1 && cd /root/$1 && tar -x && chmod +x debian/rules && exec dpkg-buildpackage -us -uc >/root/log 2>&1';

/** The same root file system, with nothing in it but `dpkg-buildpackage`. */
export class BareRoot {
  readonly #container: Docker.Container;
  #runs = 0;

  private constructor(container: Docker.Container) {
    this.#container = container;
  }

  static async open(scope: Scope, socketPath: string, image: string): Promise<BareRoot> {
    const docker = new Dockerode({ socketPath });
    const container = await docker.createContainer({
      ...{ Image: image, Entrypoint: ['sleep'], Cmd: ['infinity'], NetworkDisabled: true },
    });
    scope.after(() => container.remove({ force: true }));
    await container.start();
    return new BareRoot(container);
  }

  /** Builds a package's source and binaries. Gives the seconds that it took. */
  async build(files: Readonly<Record<string, string>>): Promise<number> {
    const tar = await buffer(treeOf(files));
    const name = `run-${(this.#runs += 1)}/hello`;
    const exec = await this.#container.exec({
      ...{ Cmd: ['sh', '-euc', script, 'bare', name] },
      ...{ AttachStdin: true, AttachStdout: true, AttachStderr: true },
    });
    const begun = performance.now();
    const stream = await exec.start({ hijack: true, stdin: true });
    stream.end(tar);
    await buffer(stream);
    const seconds = (performance.now() - begun) / 1000;
    const { ExitCode } = await exec.inspect();
    if (ExitCode !== 0) throw new Error(`dpkg-buildpackage ended with ${ExitCode}`);
    return seconds;
  }
}
