// Four regions that know one another by their cards.
import assert from 'node:assert/strict';
import { allAlive, tenant } from './lib/peers.mjs';
import { wanTest } from './lib/stage.mjs';
import { regions } from './lib/wan.mjs';

wanTest('each knows who they all are, and the token of one is good in all', { joined: true }, async stage => {
    const [{ token }] = stage.regions;
    for (const region of stage.regions) {
        const answer = await region.call('GET', '/regions', undefined, { authorization: `Bearer ${token}` });
        assert.deepEqual(answer.body.data.map(({ name, ordinal, jurisdictions }) => [name, ordinal, jurisdictions]),
            [['fra', 1, ['eu']], ['iad', 2, ['us']], ['sin', 3, ['sg']], ['gru', 4, ['br']]]);
        assert.deepEqual(answer.body.data.filter(({ state }) => state === 'self').map(({ name }) => name), [region.name]);
        assert.equal(answer.headers.get('posthaste-region'), region.name);
    }
});

wanTest('the command line tells the same at every site', { joined: true }, async stage => {
    const listed = await Promise.all(stage.regions.map(region => region.command('region', 'list')));
    for (const text of listed)
        for (const name of regions) assert.match(text, new RegExp(`^${name}\\b`, 'm'));
});

wanTest('one idempotency key in two regions at once makes one message', { joined: true }, async stage => {
    const { fra, iad, sin, gru } = stage;
    const count = 20;
    await allAlive(stage);
    await tenant(stage, 'acme', { jurisdiction: 'eu', home: 'fra' });
    for (let i = 0; i < count; i++) {
        const key = { 'idempotency-key': `order-${i}` };
        const answers = await Promise.all([iad, sin, gru].map(region =>
            region.call('POST', '/app/acme/msg', { eventType: 'order.paid', payload: { i } }, key)));
        assert.deepEqual(answers.map(({ status }) => status), [202, 202, 202]);
        assert.equal(new Set(answers.map(({ body }) => body.id)).size, 1);
    }
    assert.equal((await fra.outbox()).messages, count);
    for (const region of [iad, sin, gru]) assert.equal((await region.outbox()).messages, 0, region.name);
});
