// Configuration that one region writes and the others have, and messages that lie at home alone.
import assert from 'node:assert/strict';
import { until } from '../e2e/lib/wait.mjs';
import { allAlive, arrives, every_ms, sees, tenant } from './lib/peers.mjs';
import { wanTest } from './lib/stage.mjs';

const changes = Number(process.env.WAN_CHANGES ?? 3000);
const reads = Number(process.env.WAN_READS ?? 200);
const writes = Number(process.env.WAN_WRITES ?? 400);      // in each of two rounds, with a peer and without it
const sessions = 10;    // at once, each with an application of its own

const residency = { jurisdiction: 'eu', home: 'fra' };

async function must(region, method, path, body) {
    const answer = await region.call(method, path, body);
    assert.ok(answer.status < 300, `${method} ${path} at ${region.name}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer;
}

wanTest('a message for a tenant of the EU that is posted in Virginia lies in Frankfurt only', { joined: true }, async stage => {
    const { text } = await stage.canary({ stored: ['fra'], memory: ['fra', 'iad', 'sin'] });
    const receiver = await stage.site('fra').receiver();
    await sees(stage.iad, { fra: 'alive' });
    const made = await must(stage.iad, 'POST', '/app', { name: 'Acme', uid: 'acme', residency });
    assert.equal(made.headers.get('posthaste-region'), 'fra');
    await arrives(stage.iad, '/app/acme');
    await must(stage.iad, 'POST', '/app/acme/endpoint', { url: receiver.url });
    const sent = await must(stage.iad, 'POST', '/app/acme/msg', { eventType: 'order.paid', payload: { text } });
    assert.equal(sent.headers.get('posthaste-home-region'), 'fra');
    assert.match(sent.headers.get('posthaste-route-reason'), /carried/);
    await arrives(stage.sin, '/app/acme');
    await until(() => stage.sin.call('GET', `/app/acme/attempt/msg/${sent.body.id}`),
        ({ body }) => body.data?.some(({ status }) => status === 0), every_ms);
});

wanTest(`of ${reads} reads with a bookmark none is stale, and without some are`, { joined: true }, async stage => {
    await sees(stage.gru, { fra: 'alive' });
    let stale = 0;
    await Promise.all(Array.from({ length: sessions }, async (_, session) => {
        const path = `/app/acme-${session}`;
        await must(stage.fra, 'POST', '/app', { name: 'Acme', uid: `acme-${session}`, residency });
        await arrives(stage.gru, path);
        for (let i = session; i < reads; i += sessions) {
            const name = `Acme ${i}`;
            const written = await must(stage.fra, 'PATCH', path, { name });
            const bookmark = written.headers.get('posthaste-bookmark');
            const bare = await must(stage.gru, 'GET', path);
            const marked = await stage.gru.call('GET', path, undefined, { 'posthaste-bookmark': bookmark });
            stale += bare.body.name !== name;
            assert.equal(marked.body.name, name, `read ${i}`);
        }
    }));
    assert.ok(stale > 0, 'replication is as fast as the caller: the bookmark shows nothing here');
});

wanTest(`a region that was away fetches ${changes} changes over 162 ms`, { joined: true }, async (stage, t) => {
    await sees(stage.fra, { sin: 'alive' });
    await must(stage.fra, 'POST', '/app', { name: 'Acme', uid: 'acme', residency });
    await arrives(stage.sin, '/app/acme');
    await stage.sin.stop();
    const writers = Array.from({ length: 32 }, async (_, w) => {
        for (let i = w; i < changes; i += 32)
            await must(stage.fra, 'POST', '/app/acme/endpoint', { url: `https://receiver.example/${i}`, uid: `e${i}` });
    });
    await Promise.all(writers);
    const digest = name => must(stage[name], 'GET', '/replication/fra/digest');
    const end = (await digest('fra')).body;
    await stage.sin.start();
    const start = Date.now();
    await until(() => digest('sin'), ({ body }) => body.seq === end.seq, every_ms);
    const rate = Math.round(changes / ((Date.now() - start) / 1000));
    t.diagnostic(`${rate} changes a second, from the start of the region`);
    assert.deepEqual((await digest('sin')).body, end);
});

wanTest('a clock that is far ahead holds its own region\'s changes up, and no other\'s',
    { joined: true, region: name => ({ clock: name === 'sin' ? '+15s' : undefined }) }, async stage => {
        await sees(stage.fra, { sin: 'alive' });
        await sees(stage.fra, { iad: 'alive' });
        await must(stage.sin, 'POST', '/app', { name: 'Ahead', uid: 'ahead', residency: { jurisdiction: 'sg', home: 'sin' } });
        await must(stage.iad, 'POST', '/app', { name: 'On time', uid: 'on-time', residency: { jurisdiction: 'us', home: 'iad' } });
        await arrives(stage.fra, '/app/on-time');
        await until(() => stage.fra.call('GET', '/regions'),
            ({ body }) => /clock/.test(body.data.find(({ name }) => name === 'sin').reason ?? ''), every_ms);
        assert.equal((await stage.fra.call('GET', '/app/ahead')).status, 404);
        await arrives(stage.fra, '/app/ahead');
    });

const percentile = (times, p) => [...times].sort((a, b) => a - b)[Math.ceil(times.length * p / 100) - 1];

wanTest('a change at home takes as long while a peer is away', { joined: true }, async (stage, t) => {
    const { fra, wan } = stage;
    await allAlive(stage);
    await tenant(stage, 'acme', residency);
    const times = { present: [], away: [] };
    const write = async into => {
        for (let i = 0; i < writes; i++) {
            const answer = await fra.fetch(`${fra.url}/api/v1/app/acme`, {
                method: 'PATCH', headers: { authorization: `Bearer ${fra.token}` }, body: JSON.stringify({ name: `Acme ${i}` }),
            });
            assert.equal(answer.status, 200);
            into.push(answer.ms);
        }
    };
    for (let round = 0; round < 2; round++) {
        await write(times.present);
        await wan.cut('sin');
        await sees(fra, { sin: 'dead' });
        await write(times.away);
        await wan.heal();
        await allAlive(stage);
    }
    const tell = state => `${state} p50 ${percentile(times[state], 50).toFixed(1)} ms, p99 ${percentile(times[state], 99).toFixed(1)} ms`;
    t.diagnostic(`${tell('present')}; ${tell('away')}`);
    assert.ok(percentile(times.away, 99) <= 3 * percentile(times.present, 99), tell('away'));
});
