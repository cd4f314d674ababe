import { conditionOf } from '../../crds/object.ts';
import { UsageError } from './command.ts';
import { asText, evaluateJsonPath } from './json-path.ts';
import type { AnyObject } from './objects.ts';
import { requireJsonPath } from './output.ts';

/** What `wait` waits for. An object that does not exist is undefined. */
export interface Goal {
  /** Said when it is reached: `condition met`, `deleted`. */
  readonly reached: string;
  isReached(object: AnyObject | undefined): boolean;
  /** What is in the way. */
  explain(object: AnyObject | undefined): string;
}

/** Reads `--for`, as `kubectl wait` does. Throws `UsageError`. */
export function parseGoal(text: string): Goal {
  if (text === 'delete') return deletion;
  if (text === 'create') return creation;
  const [, type, wanted = 'True'] = /^condition=([A-Za-z]+)(?:=([A-Za-z]+))?$/.exec(text) ?? [];
  if (type !== undefined) return conditionGoal(type, wanted);
  const [, path, value] =
    /^jsonpath=(\{[^}]*\}|[^=]*(?:\[.*\][^=]*)?)(?:=(.*))?$/s.exec(text) ?? [];
  if (path !== undefined && path !== '') return jsonPathGoal(path, value);
  throw new UsageError(
    `can't wait for ${JSON.stringify(text)}: ` +
      "give condition=TYPE[=STATUS], jsonpath='{.path}'[=VALUE], create or delete",
  );
}

const deletion: Goal = {
  reached: 'deleted',
  isReached: (object) => object === undefined,
  explain: (object) =>
    object?.metadata.deletionTimestamp === undefined
      ? 'nobody has deleted it'
      : `its deletion is not finished: ${readyMessage(object)}`,
};

const creation: Goal = {
  reached: 'created',
  isReached: (object) => object !== undefined,
  explain: () => 'it does not exist',
};

/** A condition counts when it was made from the object's current generation, as for kubectl. */
export function conditionGoal(type: string, wanted: string): Goal {
  return {
    reached: 'condition met',
    isReached(object) {
      const condition = object && conditionOf(object, type);
      return (
        condition !== undefined &&
        condition.status.toLowerCase() === wanted.toLowerCase() &&
        !isOutdated(object, condition.observedGeneration)
      );
    },
    explain: (object) => explainCondition(object, type),
  };
}

function isOutdated(object: AnyObject | undefined, ofCondition: number | undefined): boolean {
  const observed = ofCondition ?? object?.status.observedGeneration;
  return observed !== undefined && observed < (object?.metadata.generation ?? 0);
}

function explainCondition(object: AnyObject | undefined, type: string): string {
  if (!object) return 'it does not exist';
  const condition = conditionOf(object, type);
  if (!condition) return `it has no condition ${type} yet`;
  const { status, reason, message } = condition;
  const age = isOutdated(object, condition.observedGeneration)
    ? ' (of an older version of it)'
    : '';
  return `${type} is ${status}${age}: ${reason}${message ? `: ${message}` : ''}`;
}

function jsonPathGoal(path: string, wanted: string | undefined): Goal {
  requireJsonPath(path);
  return {
    reached: 'condition met',
    isReached(object) {
      const values = evaluateJsonPath(object, path).map(asText);
      return wanted === undefined ? values.length > 0 : values.includes(wanted);
    },
    explain(object) {
      if (!object) return 'it does not exist';
      const values = evaluateJsonPath(object, path).map(asText);
      const is = values.length > 0 ? `is ${values.join(' ')}` : 'is not set';
      return `${path} ${is}; ${readyMessage(object)}`;
    },
  };
}

export function readyMessage(object: AnyObject): string {
  return explainCondition(object, 'Ready');
}
