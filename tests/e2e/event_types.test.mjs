// Event types through the published svix clients, both majors.
import test from 'node:test';
import assert from 'node:assert/strict';
import { dispatcher } from './lib/dispatcher.mjs';
import { client, majors, outcome } from './lib/svix.mjs';

const PET = { type: 'object', properties: { tag: { $ref: '#/components/schemas/Tag' } } };
const document = {
    openapi: '3.1.0',
    webhooks: {
        'pet.new': { post: {
            description: 'A pet is here', 'x-svix-group-name': 'pets', 'x-svix-feature-flags': ['beta'],
            requestBody: { content: { 'application/json': {
                schema: { $ref: '#/components/schemas/Pet' }, example: { tag: 'x' },
            } } },
        } },
        'pet.gone': { post: { deprecated: true } },
    },
    components: { schemas: { Pet: PET, Tag: { type: 'string' } } },
};

for (const major of majors) {
    const { name } = major;

    test(`${name} gives an event type flags and a group`, async t => {
        const d = await dispatcher(t);
        const { eventType } = client(major, d);

        await eventType.create({
            name: 'order.paid', description: 'Paid', featureFlags: ['beta', 'eu'], groupName: 'orders',
        });
        const made = await eventType.get('order.paid');
        assert.deepEqual([made.featureFlag, made.featureFlags, made.groupName], ['beta', ['beta', 'eu'], 'orders']);
        const patched = await eventType.patch('order.paid', { featureFlags: ['ga'], groupName: null });
        assert.deepEqual([patched.featureFlags, patched.groupName], [['ga'], null]);
    });

    test(`${name} imports event types from an OpenAPI document`, async t => {
        const d = await dispatcher(t);
        const { eventType } = client(major, d);
        const names = async () => (await eventType.list()).data.map(type => type.name);
        await eventType.create({ name: 'old', description: 'Old' });

        const planned = await eventType.importOpenapi({ spec: document, dryRun: true, replaceAll: true });
        assert.deepEqual(planned.data.modified, ['pet.gone', 'pet.new']);
        assert.deepEqual(planned.data.toModify.map(type => [type.name, type.deprecated, type.groupName]),
            [['pet.gone', true, null], ['pet.new', false, 'pets']]);
        assert.deepEqual(await names(), ['old']);

        assert.deepEqual((await eventType.importOpenapi({ spec: document })).data.modified, ['pet.gone', 'pet.new']);
        assert.deepEqual(await names(), ['old', 'pet.gone', 'pet.new']);
        const made = await eventType.get('pet.new');
        assert.deepEqual([made.description, made.featureFlags, made.groupName], ['A pet is here', ['beta'], 'pets']);
        assert.deepEqual(made.schemas[1], {
            type: 'object', properties: { tag: { $ref: '#/definitions/Tag' } },
            examples: [{ tag: 'x' }], definitions: { Tag: { type: 'string' } },
        });

        // What is as the document has it stays; what was archived comes back; what it lacks is archived.
        await eventType.delete('pet.gone');
        const again = await eventType.importOpenapi({ specRaw: JSON.stringify(document), replaceAll: true });
        assert.deepEqual(again.data.modified, ['pet.gone']);
        assert.deepEqual(await names(), ['pet.gone', 'pet.new']);
        assert.equal((await eventType.get('old')).archived, true);

        const yaml = await eventType.importOpenapi({ specRaw: 'x-webhooks:\n  pet.sold: {post: {summary: Sold}}\n' });
        assert.deepEqual(yaml.data.modified, ['pet.sold']);
        assert.equal((await eventType.get('pet.sold')).description, 'Sold');

        const neither = await outcome(() => eventType.importOpenapi({}));
        assert.equal(neither.code, 400);
        const wrong = await outcome(() => eventType.importOpenapi({ spec: { webhooks: { 'a b': { post: {} } } } }));
        assert.deepEqual([wrong.code, wrong.body.detail[0].loc], [422, ['body', 'spec', 'webhooks', 'a b', 'name']]);
    });

    test(`${name} imports as many event types as it may at once, and no more`, async t => {
        const d = await dispatcher(t);
        const { eventType } = client(major, d);
        const many = prefix => ({ webhooks: Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`${prefix}${n}`, { post: {} }])) });

        assert.equal((await eventType.importOpenapi({ spec: many('a') })).data.modified.length, 1000);
        const more = await outcome(() => eventType.importOpenapi({ spec: many('b'), replaceAll: true }));
        assert.deepEqual([more.code, more.body.code], [400, 'limit_reached']);
        assert.equal((await outcome(() => eventType.get('b1'))).code, 404);
        await eventType.importOpenapi({ spec: { webhooks: {} }, replaceAll: true });
        assert.deepEqual((await eventType.list()).data, []);
    });
}
