// Canaries: what must not be written down is written nowhere.
import test from 'node:test';
import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, verify as verifySignature } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { dispatcher } from './lib/dispatcher.mjs';
import { receiver, verify } from './lib/receiver.mjs';
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

// The published verifier passes v1a over, so Node's own Ed25519 judges.
test('a key pair signs, its receiver gets the public key alone, and rotation goes from one scheme to the other', async t => {
    const d = await dispatcher(t);
    const r = await receiver(t);
    const der = key => key.export({ format: 'der', type: key.type === 'public' ? 'spki' : 'pkcs8' }).subarray(-32);
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const pair = `whsk_${Buffer.concat([der(privateKey), der(publicKey)]).toString('base64')}`;
    const { app, id } = await d.endpoint(r.url, { secret: pair });
    const { key } = await d.must('GET', `/app/${app}/endpoint/${id}/secret`);
    assert.equal(key, `whpk_${der(publicKey).toString('base64')}`);

    const judge = createPublicKey({ key: Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'),
        Buffer.from(key.slice(5), 'base64')]), format: 'der', type: 'spki' });
    const fits = ({ headers, body }, signature) =>
        verifySignature(null, Buffer.concat([Buffer.from(`${headers['webhook-id']}.${headers['webhook-timestamp']}.`), body]),
            judge, Buffer.from(signature.slice('v1a,'.length), 'base64'));
    await d.send(app, { order: 1 });
    await r.arrived(1);
    assert.match(r.deliveries[0].headers['webhook-signature'], /^v1a,\S{88}$/);
    assert.ok(fits(r.deliveries[0], r.deliveries[0].headers['webhook-signature']));

    const secret = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
    await d.must('POST', `/app/${app}/endpoint/${id}/secret/rotate`, { key: secret });
    await d.send(app, { order: 2 });
    await r.arrived(2);
    const [newest, old] = r.deliveries[1].headers['webhook-signature'].split(' ');
    assert.match(newest, /^v1,/);
    assert.ok(fits(r.deliveries[1], old));
    verify(secret, r.deliveries[1]);

    const refused = await d.call('POST', `/app/${app}/endpoint/${id}/secret/rotate`, { key });
    assert.equal(refused.status, 422);
    assert.deepEqual(refused.body.detail[0].loc, ['body', 'key']);
});
