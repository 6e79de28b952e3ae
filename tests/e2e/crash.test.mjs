// kill -9 at random moments: whatever was answered 202 arrives.
import test from 'node:test';
import assert from 'node:assert/strict';
import { dispatcher } from './lib/dispatcher.mjs';
import { receiver, verify } from './lib/receiver.mjs';

const kills = Number(process.env.CRASH_KILLS ?? 20);
const seed = Number(process.env.CRASH_SEED ?? Date.now() % 1_000_000);

// A small generator, so that a seed repeats the moments (Numerical Recipes' LCG).
let state = seed;
const random = () => (state = (state * 1664525 + 1013904223) % 2 ** 32) / 2 ** 32;

test(`${kills} kills lose nothing that was acknowledged (CRASH_SEED=${seed})`, async t => {
    const d = await dispatcher(t, { args: ['--retry-schedule', '0,0,1,1,1,1,1,1,1,1,1,1'] });
    const acknowledged = new Set();
    const r = await receiver(t, (delivery, response) => {
        const bad = random() < 0.05;
        response.writeHead(bad ? 500 : 204).end();
    });
    const { app, secret } = await d.endpoint(r.url);

    let stop = false, number = 0;
    const produce = async () => {
        while (!stop) {
            const key = `k${number++}`;
            for (let answered = false; !answered && !stop;) {
                try {
                    const answer = await d.call('POST', `/app/${app}/msg`,
                        { eventType: 'order.paid', payload: { key } }, { 'idempotency-key': key });
                    answered = answer.status === 202;
                    if (answered) acknowledged.add(answer.body.id);
                } catch {
                    // Between a kill and the next start nobody listens: the same key again.
                    await up;
                }
            }
        }
    };
    let up = Promise.resolve();
    const producers = Array.from({ length: 8 }, produce);

    for (let kill = 0; kill < kills; kill++) {
        // 15 % hit the start itself, the rest a busy dispatcher: counted in acknowledgements.
        const busy = random() < 0.15 ? 0 : Math.floor(random() * 400);
        const target = acknowledged.size + busy;
        while (acknowledged.size < target) await new Promise(resolve => setImmediate(resolve));
        up = d.kill().then(() => d.start());
        await up;
    }
    stop = true;
    await Promise.all(producers);

    const arrived = () => new Set(r.deliveries.map(x => x.headers['webhook-id']));
    await r.arrived(() => {
        const ids = arrived();
        return [...acknowledged].every(id => ids.has(id));
    });
    for (const delivery of r.deliveries) verify(secret, delivery);

    const keys = new Set(r.deliveries.map(x => x.body.toString()));
    const messages = arrived();
    assert.equal(keys.size, messages.size, 'an idempotency key made two messages');
    const repeats = r.deliveries.length - messages.size;
    t.diagnostic(`${acknowledged.size} acknowledged, ${messages.size} arrived, ` +
        `${repeats} deliveries were repeats or retries`);
});
