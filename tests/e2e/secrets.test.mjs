// Canaries: what must not be written down is written nowhere.
import test from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { dispatcher } from './lib/dispatcher.mjs';
import { receiver } from './lib/receiver.mjs';
import { until } from './lib/wait.mjs';

test('no secret, header value or token is on disk in clear, and no log tells a payload', async t => {
    const d = await dispatcher(t, { args: ['--log-level', 'debug', '--retry-schedule', '0'] });
    const r = await receiver(t, (delivery, response) =>
        response.writeHead(delivery.number === 1 ? 500 : 204).end());
    const secret = 'whsec_' + Buffer.from('canary-secret-of-32-bytes-long!!').toString('base64');
    const { app, id } = await d.endpoint(`${r.url}?key=canary-query`, { secret });
    await d.must('PUT', `/app/${app}/endpoint/${id}/headers`, { headers: { Authorization: 'canary-header' } });
    const message = await d.send(app, { card: 'canary-payload' });
    await d.call('GET', `/app/${app}/msg?channel=canary-channel`);
    await d.call('GET', `/app/${app}`, undefined, { authorization: 'Bearer canary-token' });
    await r.arrived(2);
    await until(() => d.attempts(app, message.id), a => a.length === 2);
    assert.equal(await d.stop(), 0);

    const logs = d.logs.join('\n');
    assert.match(logs, /attempt/);
    for (const canary of ['canary', secret, secret.slice(6), d.token])
        assert.ok(!logs.includes(canary), `the log holds ${canary}`);

    const signed = [secret.slice(6), 'canary-secret', 'canary-header', d.token];
    const data = join(d.dir, 'data');
    for (const file of readdirSync(data)) {
        const bytes = readFileSync(join(data, file));
        for (const canary of signed)
            assert.ok(!bytes.includes(canary), `${file} holds ${canary}`);
    }
});
