import { openSqliteStore } from '../../../controller/store/sqlite.ts';
import { widget, WidgetKind } from './made-up.ts';

/** Writes objects until it is killed, and names each once it is stored. See sqlite.test.ts. */
const store = openSqliteStore(process.argv[2] ?? '', { kinds: [WidgetKind] });
for (let number = 0; ; number += 1) {
  await store.create(widget(`w${number}`));
  process.stdout.write(`w${number}\n`);
  await new Promise((resolve) => setImmediate(resolve));
}
