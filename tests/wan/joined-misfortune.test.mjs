// Whatever is cut or killed among joined regions, what any of them acknowledged arrives, and was taken in once.
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { verify } from '../e2e/lib/receiver.mjs';
import { until } from '../e2e/lib/wait.mjs';
import { dice, misfortune } from './lib/misfortune.mjs';
import { allAlive, tenant } from './lib/peers.mjs';
import { wanTest } from './lib/stage.mjs';
import { regions } from './lib/wan.mjs';

const seconds = Number(process.env.WAN_SECONDS ?? 12);
const messages = Number(process.env.WAN_MESSAGES ?? Math.round(seconds * 10_000 / 120));
const seed = Number(process.env.WAN_SEED ?? Date.now() % 1_000_000);

const callers = 12;         // at each site
const timeout_ms = 3000;    // after which a caller asks the next region
const again_ms = 50;        // and how long it waits before
const endpoints = 2;        // of each tenant
const attempts_max = 32;

// Long enough to outlast all that happens.
const retry = Array(attempts_max).fill(Math.ceil(seconds / attempts_max)).join(',');
const directions = regions.flatMap(a => regions.filter(b => b !== a).map(b => `${a}>${b}`));
const after = (name, steps) => regions[(regions.indexOf(name) + steps) % regions.length];

// A tenant whose messages may lie at home alone, with an endpoint at each of the next sites.
async function settle(stage, receivers, home, jurisdiction, wishes) {
    const uid = `${jurisdiction}-${home}`;
    const sites = Array.from({ length: endpoints }, (_, i) => after(home, i + 1));
    const { text } = await stage.canary({ stored: [home], clear: directions });     // callers and receivers are far
    const made = await tenant(stage, uid, { jurisdiction, home },
        sites.map(site => ({ url: `${receivers[site].url}/${uid}`, ...wishes(site) })));
    const arrived = i => receivers[sites[i]].deliveries.filter(({ url }) => url.endsWith(`/${uid}`));
    return {
        uid, home, text, ids: new Set(),
        endpoints: made.endpoints.map(({ secret }, i) => ({ secret, arrived: () => arrived(i) })),
    };
}

// In each region a tenant for which it alone may send, and one for which others are to, as long as they are there.
async function settleAll(stage) {
    const receivers = {};
    for (const name of regions) receivers[name] = await stage.site(name).receiver();
    const tenants = [];
    for (const home of regions)
        tenants.push(await settle(stage, receivers, home, `only-${home}`, () => ({})),
            await settle(stage, receivers, home, 'world', site => ({ dispatch: { mode: 'pin', regions: [site] } })));
    return tenants;
}

// Post one message from a site, to the region there and then to one after the other, until it is acknowledged.
async function post(stage, site, { uid, text, ids }, key, statuses) {
    for (let tries = 0;; tries++) {
        const region = stage[after(site, tries)].from(site, { timeout_ms });
        try {
            const { status, body } = await region.call('POST', `/app/${uid}/msg`,
                { eventType: 'order.paid', payload: { key, text } }, { 'idempotency-key': key });
            statuses.set(status, (statuses.get(status) ?? 0) + 1);
            if (status === 202) {
                ids.add(body.id);
                return;
            }
        } catch {
            statuses.set('none', (statuses.get('none') ?? 0) + 1);      // cut off, or nobody listens
        }
        await pause(again_ms);
    }
}

// All messages, at an even pace while the misfortune lasts, from callers everywhere to tenants everywhere.
async function postAll(stage, tenants, random) {
    const began = performance.now(), statuses = new Map();
    let next = 0;
    const call = async site => {
        while (next < messages) {
            const number = next++;
            const tenant = random.one(tenants);
            await pause(Math.max(0, began + number * seconds * 1000 / messages - performance.now()));
            await post(stage, site, tenant, `k${number}`, statuses);
        }
    };
    await Promise.all(regions.flatMap(site => Array.from({ length: callers }, () => call(site))));
    return Object.fromEntries(statuses);
}

// Throws unless each endpoint got each of the tenant's messages; how many deliveries came, first ones, and not from home.
function count({ ids, endpoints }, home) {
    const counts = { deliveries: 0, arrived: 0, forwarded: 0 };
    for (const { secret, arrived } of endpoints) {
        const came = arrived();
        const cameOnce = new Set(came.map(({ headers }) => headers['webhook-id']));
        assert.deepEqual([...cameOnce].sort(), [...ids].sort());
        assert.equal(new Set(came.map(({ body }) => body.toString())).size, ids.size);
        for (const delivery of came) verify(secret, delivery);
        counts.deliveries += came.length;
        counts.arrived += cameOnce.size;
        counts.forwarded += came.filter(({ connection }) => connection.from !== home.site.address).length;
    }
    return counts;
}

wanTest(`${messages} messages to joined regions survive ${seconds} s of cuts, losses and kills (WAN_SEED=${seed})`, {
    joined: true,
    region: name => ({ init: ['--jurisdiction', `only-${name},world`], args: ['--retry-schedule', retry] }),
    limit_ms: (2 * seconds + 120) * 1000,
}, async (stage, t) => {
    await allAlive(stage);
    const tenants = await settleAll(stage);
    const [befell, statuses] = await Promise.all(
        [misfortune(stage, { seconds, random: dice(seed) }), postAll(stage, tenants, dice(seed + 1))]);
    await Promise.all(stage.regions.map(region =>
        until(() => region.must('GET', '/status'), ({ pending }) => pending === 0, again_ms)));

    const total = { deliveries: 0, arrived: 0, forwarded: 0 };
    for (const tenant of tenants) {
        const counts = count(tenant, stage[tenant.home]);
        for (const name of Object.keys(total)) total[name] += counts[name];
    }
    for (const region of stage.regions) {
        const taken = tenants.filter(({ home }) => home === region.name).reduce((sum, { ids }) => sum + ids.size, 0);
        const rows = taken * endpoints;
        assert.deepEqual(await region.outbox(), { messages: taken, deliveries: rows, delivered: rows }, region.name);
    }
    assert.equal(tenants.reduce((sum, { ids }) => sum + ids.size, 0), messages, 'an idempotency key made two messages');
    assert.deepEqual(Object.keys(statuses).filter(status => !['202', '503', 'none'].includes(status)), []);
    t.diagnostic(`${JSON.stringify(befell)}, answers ${JSON.stringify(statuses)}: ${total.arrived} deliveries of ` +
        `${messages} messages arrived, ${total.deliveries - total.arrived} repeats, ${total.forwarded} by another region than home`);
});
