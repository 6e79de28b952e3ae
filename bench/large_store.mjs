// A store with very many messages: its applications and endpoints are made over the API, for their secrets are sealed; messages,
// deliveries and attempts are written with sqlite3, which takes minutes instead of hours.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { Dispatcher } from '../tests/e2e/lib/dispatcher.mjs';

const EPOCH_S = 1_400_000_000;      // see core/id.h
const TICK_MS = 4;                  // between two messages
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

// Half of the messages belong to the first application, and half of those went to its first endpoint. The others take turns.
const APPLICATION = applications => `CASE n % 2 WHEN 0 THEN 0 ELSE 1 + n / 2 % ${applications - 1} END`;
const ENDPOINT = each => `CASE n % 4 WHEN 0 THEN 0 ELSE n / 2000 % ${each} END`;

// `sqlite3` reads its script from stdin: it is longer than an argument may be.
const sqlite = (dispatcher, script) => execFileSync('sqlite3',
    ['regional.db'], { cwd: join(dispatcher.dir, 'data'), input: script, encoding: 'utf8', maxBuffer: 64 << 20 });

async function many(count, ask, parallel = 64) {
    const made = new Array(count);
    let next = 0;
    await Promise.all(Array.from({ length: parallel }, async () => {
        for (let n = next++; n < count; n = next++) made[n] = await ask(n);
    }));
    return made;
}

// Rare things are one in a thousand of each application's, failures one in fifty, a channel one in ten.
function fill(first_ms, messages, applications, each) {
    const ms = `(${first_ms} + n * ${TICK_MS})`;
    return `
        PRAGMA journal_mode = OFF;
        PRAGMA synchronous = OFF;
        PRAGMA cache_size = -2000000;
        ATTACH 'global.db' AS configuration;
        CREATE TEMP TABLE app (n INTEGER PRIMARY KEY, key, tail);
        INSERT INTO app SELECT row_number() OVER (ORDER BY key) - 1, key, tail FROM configuration.applications;
        CREATE TEMP TABLE ep (n INTEGER PRIMARY KEY, key, tail);
        INSERT INTO ep SELECT row_number() OVER (ORDER BY application_key, key) - 1, key, tail FROM configuration.endpoints;
        CREATE TEMP VIEW row AS
            WITH RECURSIVE count (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM count WHERE n < ${messages - 1})
            SELECT n, ${ms} AS ms, ((${ms} / 1000 - ${EPOCH_S}) << 32) | (${ms} % 1000 / ${TICK_MS} << 24) AS key,
                   ${APPLICATION(applications)} AS app, ${ENDPOINT(each)} AS ep, n / 4 % 1000 AS rare
              FROM count;
        BEGIN;
        INSERT INTO messages (key, tail, application_key, application_tail, event_type, event_id, channels, created_at_ms,
                              expires_at_ms, payload)
            SELECT row.key, randomblob(12), app.key, app.tail, iif(rare = 7, 'order.rare', 'order.paid'), 'event-' || row.n,
                   iif(rare % 10 = 0, 'blue', NULL), ms, ms + 90 * 86400000,
                   CAST('{"order":' || row.n || ',"items":"${'x'.repeat(256)}"}' AS BLOB)
              FROM row CROSS JOIN app ON app.n = row.app;
        INSERT INTO message_tags SELECT row.key, app.key, 'rare' FROM row CROSS JOIN app ON app.n = row.app WHERE rare = 9;
        INSERT INTO deliveries (message_key, endpoint_key, state, attempts, due_at_ms)
            SELECT row.key, ep.key, 1, 1, 0 FROM row CROSS JOIN ep ON ep.n = row.app * ${each} + row.ep;
        INSERT INTO attempts (key, tail, message_key, endpoint_key, endpoint_tail, number, status, trigger, response_status,
                              duration_ms, started_at_ms, next_attempt_at_ms, response)
            SELECT row.key + 1, randomblob(12), row.key, ep.key, ep.tail, 1, iif(rare % 50 = 3, 2, 0), 0,
                   iif(rare % 50 = 3, 500, 204), 12, ms, 0, CAST('ok' AS BLOB)
              FROM row CROSS JOIN ep ON ep.n = row.app * ${each} + row.ep;
        INSERT INTO messages_listed SELECT application_key, key FROM messages ORDER BY 1, 2;
        INSERT INTO attempts_listed SELECT endpoint_key, key FROM attempts ORDER BY 1, 2;
        UPDATE totals SET messages = ${messages}, attempts = ${messages}, messages_listed_to = (SELECT max(key) FROM messages),
                          attempts_listed_to = (SELECT max(key) FROM attempts);
        COMMIT;`;
}

function id(prefix, key, tail) {
    let value = (BigInt(key) << 96n) | BigInt(`0x${tail}`);
    let text = '';
    for (let n = 0; n < 27; n++, value /= 62n) text = BASE62[Number(value % 62n)] + text;
    return `${prefix}_${text}`;
}

// Messages by chance, of the first application or of the others, each with what belongs to it.
function sample(dispatcher, newest, oldest, count, first) {
    const keys = Array.from({ length: count * 3 }, () => oldest + BigInt(Math.floor(Math.random() * Number(newest - oldest))));
    const text = sqlite(dispatcher, `
        ATTACH 'global.db' AS configuration;
        ${keys.map(key => `SELECT m.key, hex(m.tail), m.application_key, hex(m.application_tail), m.event_id, a.key, hex(a.tail),
                   a.endpoint_key, hex(a.endpoint_tail), m.created_at_ms
              FROM messages AS m JOIN attempts AS a ON a.message_key = m.key
             WHERE m.key = (SELECT min(key) FROM messages WHERE key >= ${key});`).join('\n')}`);
    const rows = text.trim().split('\n').map(line => line.split('|')).map(at => ({
        msg: id('msg', at[0], at[1]), app: id('app', at[2], at[3]), event: at[4], attempt: id('atmpt', at[5], at[6]),
        endpoint: id('ep', at[7], at[8]), at: new Date(Number(at[9])).toISOString(),
    }));
    return rows.filter(row => (row.app === first.app) === first.wanted).slice(0, count);
}

// A running dispatcher with it, and what is in it: `busy` are of the application that has half of everything, `others` not.
export async function largeStore({ messages, endpoints, each = 100, samples = 1000 }) {
    const dispatcher = await new Dispatcher().start();
    const count = endpoints / each;
    for (const name of ['order.paid', 'order.rare']) await dispatcher.must('POST', '/event-type', { name, description: '' });
    const apps = await many(count, n => dispatcher.must('POST', '/app', { name: `Shop ${n}`, uid: `shop-${n}` }));
    await many(endpoints, n => dispatcher.must('POST', `/app/${apps[Math.floor(n / each)].id}/endpoint`,
        { url: 'http://127.0.0.1:1/hook', uid: `endpoint-${n % each}` }));
    await dispatcher.stop();

    const first_ms = Date.now() - messages * TICK_MS - 60_000;
    sqlite(dispatcher, fill(first_ms - first_ms % TICK_MS, messages, count, each));
    const [oldest, newest, busiest] = sqlite(dispatcher,
        'SELECT min(key) FROM messages; SELECT max(key) FROM messages; SELECT hex(application_tail), application_key FROM messages LIMIT 1;')
        .trim().split('\n');
    const [tail, key] = busiest.split('|');
    const app = id('app', key, tail);
    const taken = wanted => sample(dispatcher, BigInt(newest), BigInt(oldest), samples, { app, wanted });
    const things = { busy: taken(true), others: taken(false) };
    // The file is larger than what SQLite keeps of it; what is measured is with it in the machine's memory.
    execFileSync('cat', [join(dispatcher.dir, 'data', 'regional.db')], { stdio: ['ignore', 'ignore', 'inherit'] });
    await dispatcher.start();
    return { dispatcher, ...things };
}
