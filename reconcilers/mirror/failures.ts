import { CairnError } from '../../crds/reasons.ts';
import type { Shrink } from './request.ts';

/** A refresh that would make too much vanish, with what a person needs to approve it. */
export class ShrinkHeldError extends CairnError {
  readonly shrink: Shrink;

  /** `name` is that of the Mirror. */
  constructor(name: string, shrink: Shrink) {
    super(
      'ShrinkHeld',
      `${shrink.vanishing} of ${shrink.of} files would vanish; the last state stays in service. ` +
        'If that is right, let it pass with: cairn approve mirror/' +
        name,
    );
    this.shrink = shrink;
  }
}
