// The WAN does what it is told, and leaves nothing behind.
import test from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { until } from '../e2e/lib/wait.mjs';
import { median, onStage, wanTest } from './lib/stage.mjs';
import { regions, round_trips_ms, Wan } from './lib/wan.mjs';

const bare = { regions: [] };       // sites without regions
const near = { 'fra-sin': 10 };

// Median milliseconds of connecting from a site to a receiver.
async function roundTrip(site, receiver) {
    const times = [];
    for (let i = 0; i < 5; i++) times.push(await site.connect(receiver.site.address, receiver.port));
    return median(times);
}

wanTest('connecting takes the round trip that was set, in both directions', bare, async (stage, t) => {
    const receivers = {};
    for (const name of regions) receivers[name] = await stage.site(name).receiver();
    const directions = Object.keys(round_trips_ms).flatMap(pair => [pair.split('-'), pair.split('-').reverse()]);
    const measured = await Promise.all(directions.map(async ([from, to]) => {
        const expected = round_trips_ms[`${from}-${to}`] ?? round_trips_ms[`${to}-${from}`];
        return { from, to, expected, ms: await roundTrip(stage.site(from), receivers[to]) };
    }));
    for (const { from, to, expected, ms } of measured)
        assert.ok(ms >= expected && ms < expected + 25, `${from} to ${to}: ${ms.toFixed(1)} ms, not ${expected}`);
    t.diagnostic(measured.map(({ from, to, ms }) => `${from}-${to} ${ms.toFixed(1)} ms`).join(', '));
});

wanTest('a cut ends what passes between two sites, and a heal lets it pass again', bare, async ({ wan, site }) => {
    const sin = await site('sin').receiver(), iad = await site('iad').receiver();
    const reach = (from, { site: to, port }) => site(from).connect(to.address, port, 500);
    await reach('fra', sin);
    await wan.cut('fra', 'sin');
    await assert.rejects(reach('fra', sin), /no connection within 500 ms/);
    await reach('fra', iad);
    await reach('iad', sin);
    await wan.heal('fra', 'sin');
    await reach('fra', sin);

    await wan.cut('sin');
    for (const name of ['fra', 'iad', 'gru']) await assert.rejects(reach(name, sin), /no connection/);
    await reach('fra', iad);
    await wan.heal();
    for (const name of ['fra', 'iad', 'gru']) await reach(name, sin);
});

wanTest('what waits for an answer when the path is cut gets it after the heal', bare, async ({ wan, site }) => {
    const sin = await site('sin').receiver({ answers: [{ status: 204 }, { status: 200, after_ms: 100 }] });
    await site('fra').fetch(sin.url, { method: 'POST' });
    const waiting = site('fra').fetch(sin.url, { method: 'POST' });
    await sin.arrived(2);
    await wan.cut('fra', 'sin');
    await until(() => wan.show(), paths => paths['sin>fra'].dropped > 0, 10);
    await wan.heal();
    const answer = await waiting;
    assert.equal(answer.status, 200);
    assert.ok(answer.reused);
});

wanTest('a one-way cut passes what goes the other way', bare, async ({ wan, site }) => {
    const fra = await site('fra').receiver();
    await wan.cut1('fra', 'sin');
    await assert.rejects(site('sin').connect(fra.site.address, fra.port, 500), /no connection/);
    const paths = await wan.show();
    assert.deepEqual([paths['sin>fra'].cut, paths['sin>fra'].dropped], [0, 0]);
    assert.ok(paths['sin>fra'].packets > 0);
    assert.ok(paths['fra>sin'].dropped > 0);
    assert.equal(paths['fra>sin'].dropped, paths['fra>sin'].packets);
});

wanTest('loss drops its share of the packets, both ways', { ...bare, delays: near }, async ({ wan, site }) => {
    const sin = await site('sin').receiver();
    await wan.loss('fra', 'sin', 40);
    await Promise.allSettled(Array.from({ length: 300 }, () => site('fra').connect(sin.site.address, sin.port, 1000)));
    const paths = await wan.show();
    for (const direction of ['fra>sin', 'sin>fra']) {
        const share = paths[direction].dropped / paths[direction].packets;
        assert.ok(share > 0.3 && share < 0.5, `${direction} lost ${share} of ${paths[direction].packets}`);
    }
    await wan.heal();
    await site('fra').connect(sin.site.address, sin.port, 1000);
});

wanTest('a rate makes a megabyte last', { ...bare, delays: near }, async ({ wan, site }) => {
    const sin = await site('sin').receiver();
    const send = async () => (await site('fra').fetch(sin.url, { method: 'POST', body: Buffer.alloc(1_000_000) })).ms;
    const free = await send();
    await wan.rate('fra', 'sin', 8);
    const limited = await send();
    assert.ok(free < 800, `${free} ms without a limit`);
    assert.ok(limited > 1000 && limited < 5000, `${limited} ms at 8 Mbit/s`);
});

wanTest('a command that makes no sense is refused with the reason', bare, async ({ wan }) => {
    await assert.rejects(wan.cut('fra', 'cdg'), /cut: expected two sites that are joined/);
    await assert.rejects(wan.rtt('fra', 'sin', -1), /rtt: expected a number in its range/);
    await wan.rtt('fra', 'sin', 1);
});

wanTest('two of them at once are strangers', bare, async ({ wan, site }) => {
    await onStage({ ...bare, delays: near }, async other => {
        await wan.cut('fra', 'sin');
        const sin = await other.site('sin').receiver({ port: 9000 });
        assert.ok(await roundTrip(other.site('fra'), sin) < 80);
        await assert.rejects(site('fra').connect(site('sin').address, 9000, 500), /no connection/);
    });
});

// A process that brings one up and goes on for ever; its namespaces are named for it.
async function somebodyElses() {
    const script = `import { Wan } from '${new URL('lib/wan.mjs', import.meta.url)}';
        await new Wan().up(); process.send('up'); setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script],
        { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    await once(child, 'message');
    child.left = () => readdirSync('/run/netns').filter(name => name.startsWith(`posthaste-${child.pid}-`));
    assert.equal(child.left().length, regions.length);
    return child;
}

for (const signal of ['SIGINT', 'SIGTERM']) {
    test(`${signal} takes everything away`, async () => {
        const child = await somebodyElses();
        child.kill(signal);
        await once(child, 'exit');
        assert.deepEqual(child.left(), []);
    });
}

test('what a killed run left, the next one takes away', async () => {
    const child = await somebodyElses();
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.equal(child.left().length, regions.length);
    const next = await new Wan().up();
    await next.down();
    assert.deepEqual(child.left(), []);
});
