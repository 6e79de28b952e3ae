// Event types through the published svix clients, both majors.
import test from 'node:test';
import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { createRequire } from 'node:module';
import { checkedFetch, dispatcher } from './lib/dispatcher.mjs';

globalThis.crypto ??= webcrypto;     // the clients want it; Node 18 has it elsewhere
const major1 = createRequire(import.meta.url)('svix').Svix;
const { Svix: major2 } = await import('svix-2');

for (const [name, Svix] of [['svix 1', major1], ['svix 2', major2]]) {
    test(`${name} gives an event type flags and a group`, async t => {
        const d = await dispatcher(t);
        const { eventType } = new Svix(d.token, { serverUrl: d.url, fetch: checkedFetch });

        await eventType.create({
            name: 'order.paid', description: 'Paid', featureFlags: ['beta', 'eu'], groupName: 'orders',
        });
        const made = await eventType.get('order.paid');
        assert.deepEqual([made.featureFlag, made.featureFlags, made.groupName], ['beta', ['beta', 'eu'], 'orders']);
        const patched = await eventType.patch('order.paid', { featureFlags: ['ga'], groupName: null });
        assert.deepEqual([patched.featureFlags, patched.groupName], [['ga'], null]);
    });
}
