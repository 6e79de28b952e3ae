// Paging while others write: what is there throughout is seen once, in the list's order, forwards and backwards.
import test, { after } from 'node:test';
import assert from 'node:assert/strict';
import { dispatcher } from './lib/dispatcher.mjs';
import { receiver } from './lib/receiver.mjs';
import { client, majors } from './lib/svix.mjs';
import { until } from './lib/wait.mjs';

const d = await dispatcher({ after });
const r = await receiver({ after });
const THERE = 13;       // throughout, and as many more that come and go
const LIMIT = 3;

let names = 0;
const fresh = () => `n${String(names++ * 7919 % 100_000).padStart(5, '0')}`;      // in no order

async function message(svix, app, fields = {}) {
    return (await svix.message.create(app, { eventType: 'a', payload: {}, ...fields })).id;
}

const id_of = item => item.id;
const ids = page => page.data.map(id_of);

// A list as a test sees it: `read(options)` asks for a page; `add()` puts something in and says what, `remove(it)` takes that
// out again; `stays`: it is in the list nevertheless.
const lists = {
    applications: async svix => ({
        read: options => svix.application.list(options),
        add: async () => (await svix.application.create({ name: 'a' })).id,
        remove: id => svix.application.delete(id),
    }),
    'applications, the newest first': async svix => ({
        ...await lists.applications(svix),
        read: options => svix.application.list({ ...options, order: 'descending' }),
    }),
    'event types': async svix => ({
        read: options => svix.eventType.list(options),
        add: async () => (await svix.eventType.create({ name: fresh(), description: '' })).name,
        remove: name => svix.eventType.delete(name, { expunge: true }),
        key: type => type.name,
    }),
    endpoints: async (svix, { app }) => ({
        read: options => svix.endpoint.list(app, options),
        add: async () => (await svix.endpoint.create(app, { url: r.url, channels: ['none'] })).id,
        remove: id => svix.endpoint.delete(app, id),
    }),
    'endpoints, the oldest first': async (svix, c) => ({
        ...await lists.endpoints(svix, c),
        read: options => svix.endpoint.list(c.app, { ...options, order: 'ascending' }),
    }),
    messages: async (svix, { app }) => ({
        read: options => svix.message.list(app, options),
        add: () => message(svix, app, { channels: ['none'] }),
        remove: id => svix.message.expungeContent(app, id),     // that leaves it in the list
        stays: true,
    }),
    'messages of a tag': async (svix, { app }) => ({
        read: options => svix.message.list(app, { ...options, tag: 'even' }),
        add: async () => {
            await message(svix, app, { tags: ['odd'] });
            return message(svix, app, { tags: ['even'] });
        },
        stays: true,
    }),
    'attempts at an endpoint': async (svix, { app }) => {
        const { id } = await svix.endpoint.create(app, { url: r.url });
        const read = options => svix.messageAttempt.listByEndpoint(app, id, options);
        return { read, add: () => delivered(svix, app, id), stays: true };
    },
    'attempts of a message': async (svix, { app }) => {
        const { id } = await svix.endpoint.create(app, { url: r.url });
        const sent = await message(svix, app);
        const read = options => svix.messageAttempt.listByMsg(app, sent, options);
        await until(() => read({}), page => page.data.length === 1);
        return {
            read, stays: true,
            add: async () => {
                const [last] = ids(await read({ limit: 1 }));
                await svix.messageAttempt.resend(app, sent, id);
                const page = await until(() => read({ limit: 1 }), now => now.data[0].id !== last);
                return page.data[0].id;
            },
        };
    },
    'messages tried at an endpoint': async (svix, { app }) => {
        const { id } = await svix.endpoint.create(app, { url: r.url });
        const read = options => svix.messageAttempt.listAttemptedMessages(app, id, options);
        return { read, stays: true, add: async () => (await delivered(svix, app, id), ids(await read({ limit: 1 }))[0]) };
    },
    'endpoints that a message was tried at': async (svix, { app }) => {
        const sent = await message(svix, app);
        const read = options => svix.messageAttempt.listAttemptedDestinations(app, sent, options);
        return {
            read, stays: true,
            add: async () => {
                const { id } = await svix.endpoint.create(app, { url: r.url, channels: ['none'] });
                await svix.messageAttempt.resend(app, sent, id);
                await until(() => read({ limit: 250 }), page => ids(page).includes(id));
                return id;
            },
            remove: id => svix.endpoint.delete(app, id),
        };
    },
    'background tasks': async (svix, { app }) => {
        const { id } = await svix.endpoint.create(app, { url: r.url, channels: ['none'] });
        return {
            read: options => svix.backgroundTask.list(options), stays: true,
            add: async () => {
                const task = await svix.endpoint.recover(app, id, { since: new Date(Date.now() - 1000) });
                await until(() => svix.backgroundTask.get(task.id), now => now.status === 'finished');
                return task.id;
            },
        };
    },
};

// An attempt that is listed at the endpoint.
async function delivered(svix, app, endpoint) {
    const sent = await message(svix, app);
    const page = await until(() => svix.messageAttempt.listByMsg(app, sent, { endpointId: endpoint }), now => now.data.length > 0);
    return page.data[0].id;
}

// All of a list, page by page, from one of its ends to the other; between two pages and beside each of them `disturb()` writes.
async function walk(list, disturb, backwards) {
    const key = list.key ?? id_of;
    const seen = [];
    let iterator = backwards ?? null;
    for (let done = false; !done;) {
        const [page] = await Promise.all([list.read({ limit: LIMIT, iterator }), disturb()]);
        await disturb();
        assert.ok(page.data.length <= LIMIT);
        const keys = page.data.map(key);
        if (backwards) seen.unshift(...keys);
        else seen.push(...keys);
        done = page.done;
        iterator = backwards ? page.prevIterator : page.iterator;
        if (!done) assert.equal(page.data.length, LIMIT, 'a page that is not the last is full');
    }
    return seen;
}

const only = (seen, there) => seen.filter(item => there.has(item));

async function pages(open, svix) {
    const { id: app } = await svix.application.create({ name: 'Shop' });
    const list = await open(svix, { app });
    const there = new Set(), passing = [];
    for (let n = 0; n < THERE; n++) {
        there.add(await list.add());
        passing.push(await list.add());
    }
    if (list.stays) for (const item of passing) there.add(item);
    const expected = only((await list.read({ limit: 250 })).data.map(list.key ?? id_of), there);
    assert.equal(expected.length, there.size);

    const disturb = async () => {
        const gone = passing.shift();
        await Promise.all([list.add().then(it => passing.push(it)), gone && list.remove?.(gone)]);
    };
    const forwards = await walk(list, disturb);
    assert.equal(new Set(forwards).size, forwards.length, 'doubled');
    assert.deepEqual(only(forwards, there), expected);
    const last = forwards.at(-1);
    const backwards = await walk(list, disturb, `-${last}`);
    assert.equal(new Set(backwards).size, backwards.length, 'doubled');
    assert.deepEqual(only(backwards, there), expected.filter(item => item !== last));
}

for (const major of majors)
    test(`${major.name} sees once what is in a list throughout while others write`, async t => {
        for (const [name, open] of Object.entries(lists))
            await t.test(name, () => pages(open, client(major, d)));
    });
