// Every member that the published svix clients have for an object, in every way that they can give it: a value sets it, null
// unsets it, and where it is absent a PATCH keeps what was there and a PUT takes the default.
import test, { after } from 'node:test';
import assert from 'node:assert/strict';
import { dispatcher } from './lib/dispatcher.mjs';
import { client, interfaces, majors, outcome } from './lib/svix.mjs';

const d = await dispatcher({ after });

let names = 0;
const fresh = () => `name-${names++}`;
const secrets = () => `whsec_${Buffer.alloc(24, names++).toString('base64')}`;

// `given` is a value or makes one; `unset` is what is shown without it. `needed`: can be neither null nor absent. `no_null`:
// null is refused, absence isn't. `kept`: null changes nothing. `ignored`: taken, and of no effect. `seen`: what is shown of
// the value, if not the value.
const object = { given: { tier: 'gold' }, unset: {} };
const text = { given: 'Words', unset: '' };
const flag = { given: true, unset: false, no_null: true };
const rate = { given: 7, unset: null };
const event_types = { given: ['order.paid'], unset: null };

// What stands before an endpoint's or a message's own name.
async function shop(svix) {
    return [(await svix.application.create({ name: 'Shop' })).id];
}

async function payload(svix, owner, { id }) {
    return (await svix.message.get(...owner, id, { withContent: true })).payload;
}

const resources = {
    application: {
        least: () => ({ name: 'Least' }),
        shapes: { create: ['ApplicationIn'], upsert: ['ApplicationIn'], patch: ['ApplicationPatch'] },
        members: {
            name: { given: 'Shop', needed: true },
            uid: { given: fresh, unset: undefined },
            metadata: object, throttleRate: rate, rateLimit: rate,
        },
    },
    eventType: {
        least: () => ({ name: fresh(), description: '' }),
        shapes: { create: ['EventTypeIn'], upsert: ['EventTypeUpdate', 'EventTypeUpsertIn'], patch: ['EventTypePatch'] },
        key: type => type.name,
        members: {
            name: { given: fresh, needed: true },
            description: text, archived: flag, deprecated: flag,
            schemas: { given: { 1: { type: 'object', properties: { a: { type: 'string' } } } }, unset: null },
            featureFlag: { given: 'beta', unset: null },
            featureFlags: { given: ['beta', 'early'], unset: null },
            groupName: { given: 'orders', unset: null },
        },
    },
    endpoint: {
        least: () => ({ url: 'http://least/' }),
        shapes: { create: ['EndpointIn'], upsert: ['EndpointUpdate', 'EndpointUpsertIn'], patch: ['EndpointPatch'] },
        owner: shop,
        members: {
            url: { given: 'http://shop/hook', needed: true },
            uid: { given: fresh, unset: null },
            description: text, disabled: flag, metadata: object, throttleRate: rate, rateLimit: rate,
            eventTypes: event_types, filterTypes: event_types,
            channels: { given: ['blue', 'red'], unset: null },
            secret: {
                given: secrets, unset: /^whsec_.{32}$/, kept: true,
                shown: async (svix, owner, { id }) => (await svix.endpoint.getSecret(...owner, id)).key,
            },
            headers: {
                given: { 'X-Shop': '1' }, unset: {},
                shown: async (svix, owner, { id }) => (await svix.endpoint.getHeaders(...owner, id)).headers,
            },
            version: { given: 3, ignored: true },
        },
    },
    message: {
        least: () => ({ eventType: 'order.paid', payload: {} }),
        shapes: { create: ['MessageIn'] },
        owner: shop,
        members: {
            eventType: { given: 'order.sent', needed: true },
            payload: { given: { n: 1 }, needed: true, shown: payload },
            transformationsParams: { given: { rawPayload: '{"raw":1}' }, seen: { raw: 1 }, unset: {}, shown: payload },
            eventId: { given: fresh, unset: null },
            channels: { given: ['blue', 'red'], unset: null },
            tags: { given: ['urgent'], unset: null },
            payloadRetentionPeriod: { given: 5, seen: undefined, unset: undefined },
            payloadRetentionHours: { given: 24, seen: undefined, unset: undefined },
            application: { given: { name: 'Other' }, ignored: true },     // for this one is there
            deliverAt: { given: new Date(0), ignored: true },
        },
    },
};

const make = given => typeof given === 'function' ? given() : given;

// The ways of one member of one resource through one client.
class Ways {
    constructor(svix, owner, noun, name, member) {
        Object.assign(this, { svix, owner, noun, name, member });
        this.resource = resources[noun];
        this.key = this.resource.key ?? (made => made.id);
    }

    ask(way, ...args) {
        return this.svix[this.noun][way](...this.owner, ...args);
    }

    // What is given beside the member.
    rest(given) {
        const body = this.resource.least();
        if (!given && this.member.needed) delete body[this.name];
        return body;
    }

    async shows(made, expected, why) {
        if ('seen' in this.member && expected === this.member.given) expected = this.member.seen;
        const shown = this.member.shown ? await this.member.shown(this.svix, this.owner, made) : made[this.name];
        if (expected instanceof RegExp) assert.match(shown, expected, why);
        else assert.deepEqual(shown, expected, why);
    }

    async refused(call, why) {
        const { code, body } = await outcome(call);
        assert.equal(code, 422, why);
        assert.deepEqual(body.detail[0].loc, ['body', this.name], why);
    }

    async create() {
        const { name, member } = this;
        const value = make(member.given);
        await this.shows(await this.ask('create', { ...this.rest(true), [name]: value }), value, 'created with a value');
        const without = () => this.ask('create', this.rest(false));
        const nulled = () => this.ask('create', { ...this.rest(true), [name]: null });
        if (member.needed) await this.refused(without, 'created without');
        else await this.shows(await without(), member.unset, 'created without');
        if (member.needed || member.no_null) await this.refused(nulled, 'created with null');
        else await this.shows(await nulled(), member.unset, 'created with null');
    }

    async upsert() {
        const { name, member } = this;
        const made = await this.ask('create', this.resource.least());
        const put = body => this.ask('upsert', this.key(made), body);
        const value = make(member.given);
        await this.shows(await put({ ...this.rest(true), [name]: value }), value, 'put with a value');
        const nulled = () => put({ ...this.rest(true), [name]: null });
        if (member.needed) {
            await this.refused(() => put(this.rest(false)), 'put without');
            await this.refused(nulled, 'put with null');
        } else {
            await this.shows(await put(this.rest(false)), member.unset, 'put without');
            if (member.no_null) await this.refused(nulled, 'put with null');
            else await this.shows(await nulled(), member.unset, 'put with null');
        }
        const another = make(member.given);
        const created = await this.ask('upsert', fresh(), { ...this.rest(true), [name]: another });
        assert.notEqual(this.key(created), this.key(made));
        await this.shows(created, another, 'put as new');
    }

    async patch() {
        const { name, member } = this;
        const made = await this.ask('create', this.resource.least());
        const patch = body => this.ask('patch', this.key(made), body);
        const value = make(member.given);
        await this.shows(await patch({ [name]: value }), value, 'patched with a value');
        await this.shows(await patch({}), value, 'patched without');
        if (member.needed || member.no_null) await this.refused(() => patch({ [name]: null }), 'patched with null');
        else await this.shows(await patch({ [name]: null }), member.kept ? value : member.unset, 'patched with null');
    }

    // Taken in every way, and shown as if it hadn't been given.
    async ignored(way) {
        const made = await this.ask('create', this.resource.least());
        const body = { ...this.resource.least(), [this.name]: this.member.given };
        const given = await (way === 'create' ? this.ask(way, body) : this.ask(way, this.key(made), body));
        assert.deepEqual(given[this.name], made[this.name]);
    }
}

for (const major of majors) {
    const shapes = interfaces(major);
    const svix = client(major, d);
    await svix.eventType.upsert('order.paid', { description: 'Paid' });

    for (const [noun, { shapes: named, members, owner }] of Object.entries(resources)) {
        const has = way => shapes.get(named[way].find(shape => shapes.has(shape)));

        test(`${major.name} has no member of ${noun} that isn't in the table`, () => {
            for (const way of Object.keys(named))
                assert.deepEqual(has(way).filter(member => members[member] === undefined), [], way);
        });

        test(`${major.name} sets, unsets and keeps each member of ${noun}`, async t => {
            const above = await owner?.(svix) ?? [];
            for (const [name, member] of Object.entries(members))
                for (const way of Object.keys(named).filter(way => has(way).includes(name)))
                    await t.test(`${name}: ${way}`, async () => {
                        const ways = new Ways(svix, above, noun, name, member);
                        await (member.ignored ? ways.ignored(way) : ways[way]());
                    });
        });
    }
}

test('where an old and a new name are both given the new one wins, and answers show both', async () => {
    const svix = client(majors[0], d);
    const { id: app } = await svix.application.create({ name: 'Shop', rateLimit: 5, throttleRate: 6 });
    const shown = async (method, path, body) => {
        const { throttleRate, rateLimit, eventTypes, filterTypes } = await d.must(method, path, body);
        return { throttleRate, rateLimit, eventTypes, filterTypes };
    };
    assert.deepEqual(await shown('GET', `/app/${app}`),
        { throttleRate: 6, rateLimit: 6, eventTypes: undefined, filterTypes: undefined });
    assert.deepEqual(await shown('POST', `/app/${app}/endpoint`,
        { url: 'http://h/', filterTypes: ['order.paid'], rateLimit: 3, eventTypes: null, throttleRate: null }),
        { throttleRate: null, rateLimit: null, eventTypes: null, filterTypes: null });
});
