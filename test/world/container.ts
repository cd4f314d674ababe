/** A build that goes on when a test lets it: nobody has to guess how long anything takes. */
import type Docker from 'dockerode';

export const goFile = '/tmp/go';

/** A command of the shell that ends when `letGo` was called. */
export const waitForGo = `while ! test -e ${goFile}; do sleep 0.1; done`;

/** Lets a container go on, by its name or id. */
export async function letGo(docker: Docker, container: string): Promise<void> {
  const exec = await docker.getContainer(container).exec({ Cmd: ['touch', goFile] });
  const answer = await exec.start({ Detach: true });
  answer.destroy(); // else it holds its connection, and so this process, for minutes: with newer engines for ever
}
