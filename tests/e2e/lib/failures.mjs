import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

// So many copies of the one message there is, that failed at its endpoint too, without the day that it would take to fail so
// often: each 4 ms before the next, the last of them so many days ago. The dispatcher doesn't run meanwhile.
export function failures(dispatcher, count, days = 0) {
    const seconds = days * 24 * 3600;       // see core/id.h for a key
    const copies = `WITH RECURSIVE copies (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copies WHERE n < ${count})`;
    execFileSync('sqlite3', [join(dispatcher.dir, 'data', 'regional.db'), `
        BEGIN;
        ${copies} INSERT INTO messages
            SELECT key - (n << 24) - (${seconds} << 32), tail, application_key, application_tail, event_type, event_id, channels,
                   created_at_ms - 4 * n - 1000 * ${seconds}, expires_at_ms - 1000 * ${seconds}, payload FROM copies, messages WHERE key > 0;
        INSERT INTO deliveries (message_key, endpoint_key, state, attempts, due_at_ms)
            SELECT m.key, e.endpoint_key, 2, 1, 0 FROM messages AS m, (SELECT endpoint_key FROM deliveries) AS e
             WHERE true ON CONFLICT DO UPDATE SET state = 2, attempts = 1;
        INSERT INTO attempts (key, tail, message_key, endpoint_key, endpoint_tail, number, status, trigger,
                              response_status, duration_ms, started_at_ms, next_attempt_at_ms)
            SELECT m.key, m.tail, m.key, d.endpoint_key, m.tail, 1, 2, 0, 500, 1, m.created_at_ms, 0
              FROM messages AS m JOIN deliveries AS d ON d.message_key = m.key;
        INSERT OR IGNORE INTO messages_listed SELECT application_key, key FROM messages;
        INSERT OR IGNORE INTO attempts_listed SELECT endpoint_key, key FROM attempts;
        UPDATE totals SET messages = (SELECT count(*) FROM messages), attempts = (SELECT count(*) FROM attempts),
                          messages_listed_to = (SELECT max(key) FROM messages),
                          attempts_listed_to = (SELECT max(key) FROM attempts);
        COMMIT;`]);
}
