// Whatever is cut or killed, what was acknowledged arrives.
import assert from 'node:assert/strict';
import { until } from '../e2e/lib/wait.mjs';
import { dice, misfortune } from './lib/misfortune.mjs';
import { wanTest } from './lib/stage.mjs';
import { regions } from './lib/wan.mjs';

const seconds = Number(process.env.WAN_SECONDS ?? 10);
const seed = Number(process.env.WAN_SEED ?? Date.now() % 1_000_000);

const retry = Array(32).fill(1).join(',');
const elsewhere = name => regions[(regions.indexOf(name) + 1) % regions.length];

wanTest(`${seconds} s of cuts, losses and kills lose nothing that was acknowledged (WAN_SEED=${seed})`,
    { region: () => ({ args: ['--retry-schedule', retry] }), limit_ms: (seconds + 60) * 1000 }, async (stage, t) => {
        const random = dice(seed);
        const acknowledged = new Set();
        const receivers = {};
        let stop = false, number = 0;

        // Posts to the region at the next site until each post is acknowledged; a key makes one message of its repeats.
        const produce = async (region, app) => {
            while (!stop) {
                const key = `k${number++}`;
                for (let answered = false; !answered && !stop;) {
                    try {
                        const { status, body } = await region.call('POST', `/app/${app}/msg`,
                            { eventType: 'order.paid', payload: { key } }, { 'idempotency-key': key });
                        answered = status === 202;
                        if (answered) acknowledged.add(body.id);
                    } catch {
                        continue;       // cut off, or nobody listens
                    }
                }
            }
        };
        const producers = [];
        for (const region of stage.regions) {
            const receiver = await stage.site(elsewhere(region.name)).receiver();
            const { app, secret } = await region.endpoint(receiver.url);
            receivers[region.name] = { receiver, secret };
            const caller = region.from(elsewhere(region.name), { timeout_ms: 2000 });
            for (let i = 0; i < 4; i++) producers.push(produce(caller, app));
        }
        const befell = await misfortune(stage, { seconds, random });
        stop = true;
        await Promise.all(producers);

        await Promise.all(stage.regions.map(region =>
            until(() => region.must('GET', '/status'), ({ pending }) => pending === 0, 50)));
        const deliveries = Object.values(receivers).flatMap(({ receiver }) => receiver.deliveries);
        const arrived = new Set(deliveries.map(({ headers }) => headers['webhook-id']));
        assert.deepEqual([...acknowledged].filter(id => !arrived.has(id)), []);
        assert.equal(new Set(deliveries.map(({ body }) => body.toString())).size, arrived.size,
            'an idempotency key made two messages');
        for (const { receiver, secret } of Object.values(receivers)) receiver.verify(secret);
        t.diagnostic(`${JSON.stringify(befell)}: ${acknowledged.size} acknowledged, ` +
            `${arrived.size} arrived, ${deliveries.length - arrived.size} repeats`);
    });
