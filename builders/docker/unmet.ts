/**
 * The relations that apt could not satisfy, from what it printed in the C locale; undefined when it failed for another reason.
 * apt 1 and 2 list them below "have unmet dependencies", apt 3 below "Unsatisfied dependencies"; its solver explains itself.
 */
export function unmetDependencies(output: string): readonly string[] | undefined {
  if (!failed.test(output)) return undefined;
  const found = output.split('\n').flatMap((line) => {
    const [, relation] = form.exec(line) ?? [];
    return relation === undefined ? [] : [relation.replace(/:any\b/g, '').trim()];
  });
  return [...new Set(found)].slice(0, mostNamed);
}

const failed =
  /have unmet dependencies|Unsatisfied dependencies|Unable to satisfy dependencies|Unable to correct problems|Build dependencies could not be satisfied|dependency for .* (?:cannot|can't) be satisfied/i;

/** ` builddeps:/x : Depends: libfoo-dev (>= 2) but it is not installable`, and what continues it in further lines */
const form =
  /^[ \t].*?(?:Pre)?-?(?:Depends|Conflicts): (.+?) (?:but (?:it |[\w.+~:-]+ )?(?:is|are) |but .* is to be installed)/;

const mostNamed = 50;
