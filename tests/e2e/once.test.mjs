// POSTs that are sent again under their idempotency key, to a process that was killed meanwhile.
import test from 'node:test';
import assert from 'node:assert/strict';
import { dispatcher } from './lib/dispatcher.mjs';

const kills = Number(process.env.CRASH_KILLS ?? 20);
const seed = Number(process.env.CRASH_SEED ?? 1);

let state = seed;
function random() {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    return state / 0x80000000;
}

const since = () => new Date(Date.now() - 60_000).toISOString();

test('what was answered before a kill is answered so after it, and nothing is done twice', async t => {
    const d = await dispatcher(t);
    const { app, id } = await d.endpoint('http://127.0.0.1:1/', { disabled: true });
    const { id: message } = await d.send(app, {});
    const endpoint = `/app/${app}/endpoint/${id}`;
    const secret = async () => (await d.must('GET', `${endpoint}/secret`)).key;
    const requests = [
        ['/app', { name: 'a' }],
        ['/app?get_if_exists=true', { name: 'a', uid: 'a' }],
        ['/event-type', { name: 'a', description: '' }],
        [`/app/${app}/endpoint`, { url: 'http://h/', headers: { authorization: 'secret' } }],
        [`/app/${app}/msg`, { eventType: 'a', payload: { n: 1 } }],
        [`${endpoint}/send-example`, { eventType: 'svix.ping' }],
        [`${endpoint}/secret/rotate`, undefined],
        [`${endpoint}/recover`, { since: since() }],
        [`${endpoint}/replay-missing`, { since: since() }],
        [`${endpoint}/bulk-replay`, { since: since() }],
        [`/app/${app}/msg/${message}/endpoint/${id}/resend`, undefined],
    ];
    const ask = () => Promise.all(requests.map(async ([path, body]) => {
        const { status, body: answer } = await d.call('POST', path, body, { 'idempotency-key': 'k' });
        assert.ok(status < 300, `${path}: ${status} ${JSON.stringify(answer)}`);
        return { path, status, answer };
    }));
    const lists = ['/app', '/event-type', `/app/${app}/endpoint`, `/app/${app}/msg`, '/background-task'];
    const made = () => Promise.all(lists.map(async path => (await d.must('GET', path)).data.length));

    const first = await ask();
    const [rotated, counts] = [await secret(), await made()];
    for (let kill = 0; kill < 2; kill++) {
        await d.kill();
        await d.start();
        assert.deepEqual(await ask(), first);
        assert.deepEqual([await secret(), await made()], [rotated, counts]);
    }
});

test(`${kills} kills make nothing twice`, async t => {
    const d = await dispatcher(t);
    const answered = new Map();     // the answer of each key
    let up = Promise.resolve(), stop = false, next = 0;

    const produce = async () => {
        while (!stop) {
            const key = `k${next++}`;
            for (let done = false; !done && !stop;) {
                try {
                    const { status, body } = await d.call('POST', '/app', { name: key }, { 'idempotency-key': key });
                    done = status === 201;
                    if (done) answered.set(key, body);
                } catch {
                    await up;       // nobody listens: the same key again
                }
            }
        }
    };
    const producers = Array.from({ length: 8 }, produce);
    for (let kill = 0; kill < kills; kill++) {
        const target = answered.size + Math.floor(random() * 40);
        while (answered.size < target) await new Promise(resolve => setImmediate(resolve));
        up = d.kill().then(() => d.start());
        await up;
    }
    stop = true;
    await Promise.all(producers);

    const names = [];
    for (let page, iterator = ''; !page?.done; iterator = `&iterator=${page.iterator}`) {
        page = await d.must('GET', `/app?limit=250${iterator}`);
        names.push(...page.data.map(app => app.name));
    }
    assert.equal(new Set(names).size, names.length, 'a key made two applications');
    for (const [key, answer] of answered)
        assert.deepEqual((await d.call('POST', '/app', { name: 'other' }, { 'idempotency-key': key })).body, answer);
    t.diagnostic(`${answered.size} answered, ${names.length} made`);
});
