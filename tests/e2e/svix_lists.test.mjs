// Every option that the published svix clients have for a list or for reading one thing, with what it leaves of the list.
import test, { after } from 'node:test';
import assert from 'node:assert/strict';
import { dispatcher } from './lib/dispatcher.mjs';
import { receiver } from './lib/receiver.mjs';
import { client, interfaces, majors } from './lib/svix.mjs';
import { until } from './lib/wait.mjs';

const d = await dispatcher({ after }, { args: ['--retry-schedule', '3600'] });
const good = await receiver({ after });
const bad = await receiver({ after }, (_, response) => response.writeHead(500).end());

// An application with an endpoint that takes all, one that fails, and three messages that were tried at both. `names` says of
// an id what a table calls it: "good", "m1", or of an attempt "m1 to good".
async function shop(svix) {
    const names = new Map();
    const named = (name, { id, ...rest }) => (names.set(id, name), { id, ...rest });
    const app = named('shop', await svix.application.create({ name: 'Shop' }));
    const endpoints = [
        named('good', await svix.endpoint.create(app.id, { url: good.url, uid: 'the-good' })),
        named('bad', await svix.endpoint.create(app.id, { url: bad.url })),
    ];
    const messages = [];
    for (const [n, fields] of [
        { eventType: 'order.paid', channels: ['blue'], tags: ['x'] },
        { eventType: 'order.sent', channels: ['red', 'blue'] },
        { eventType: 'order.paid', tags: ['y', 'x'] },
    ].entries()) {
        const message = named(`m${n}`, await svix.message.create(app.id, { ...fields, payload: { n } }));
        const tried = await until(() => svix.messageAttempt.listByMsg(app.id, message.id), page => page.data.length === 2);
        for (const a of tried.data) named(`m${n} to ${names.get(a.endpointId)}`, a);
        messages.push(message);
    }
    const tasks = [];
    for (const ask of ['recover', 'replayMissing']) {
        const { id } = await svix.endpoint[ask](app.id, endpoints[0].id, { since: new Date(Date.now() - 1000) });
        await until(() => svix.backgroundTask.get(id), task => task.status === 'finished');
        tasks.push(named(ask, { id }));
    }
    return { app, endpoints, messages, tasks, names };
}

const of_app = c => [c.app.id];
const of_good = c => [c.app.id, c.endpoints[0].id];
const of_bad = c => [c.app.id, c.endpoints[1].id];
const of_m1 = c => [c.app.id, c.messages[1].id];
const id_of = (name, prefix = '') => c => prefix + [...c.names].find(([, given]) => given === name)[0];
const time_of = n => c => c.messages[n].timestamp;

// What filters messages does so wherever they, or their attempts, are listed. Options are values, or made of the context.
const by_message = [
    [{}, ['m2', 'm1', 'm0']],
    [{ eventTypes: ['order.paid'] }, ['m2', 'm0']],
    [{ eventTypes: ['order.sent', 'order.none'] }, ['m1']],
    [{ channel: 'blue' }, ['m1', 'm0']],
    [{ tag: 'x' }, ['m2', 'm0']],
    [{ tag: 'x', channel: 'blue', eventTypes: ['order.paid', 'order.sent'] }, ['m0']],
    [{ limit: 2 }, ['m2', 'm1']],
];
const between = [
    [{ before: time_of(1) }, ['m0']],
    [{ after: time_of(1) }, ['m2']],
    [{ before: time_of(2), after: time_of(0) }, ['m1']],
];
const to = (endpoint, rows) => rows.map(([options, messages]) => [options, messages.map(m => `${m} to ${endpoint}`)]);

const lists = [
    ['application.list', () => [], [
        [{ limit: 250 }, ['shop']],
        [{ limit: 1, order: 'descending' }, ['shop']],
        [{ limit: 250, order: 'ascending' }, ['shop']],
        [{ iterator: id_of('shop'), limit: 250 }, []],
        [{ excludeAppsWithNoEndpoints: true, excludeAppsWithDisabledEndpoints: true, excludeAppsWithSvixPlayEndpoints: true,
            limit: 250 }, ['shop']],      // the hosted edition's alone, and ignored
    ]],
    ['endpoint.list', of_app, [
        [{}, ['bad', 'good']],
        [{ order: 'descending' }, ['bad', 'good']],
        [{ order: 'ascending' }, ['good', 'bad']],
        [{ limit: 1 }, ['bad']],
        [{ iterator: id_of('bad') }, ['good']],
        [{ iterator: id_of('good', '-') }, ['bad']],
    ]],
    ['message.list', of_app, [
        ...by_message, ...between,
        [{ iterator: id_of('m2') }, ['m1', 'm0']],
        [{ withContent: true, limit: 1 }, ['m2'], ([m]) => assert.deepEqual(m.payload, { n: 2 })],
        [{ withContent: false, limit: 1 }, ['m2'], ([m]) => assert.deepEqual(m.payload, {})],
    ]],
    ['messageAttempt.listByEndpoint', of_good, [
        ...to('good', by_message),
        [{ before: c => new Date(c.messages[2].timestamp.getTime() + 3600_000), limit: 1 }, ['m2 to good']],
        [{ after: () => new Date(Date.now() + 3600_000) }, []],
        [{ iterator: id_of('m1 to good') }, ['m0 to good']],
        [{ status: 0 }, ['m2 to good', 'm1 to good', 'm0 to good']],
        [{ status: 2 }, []],
        [{ statusCodeClass: 200, limit: 1 }, ['m2 to good']],
        [{ statusCodeClass: 500 }, []],
        [{ expandedStatuses: false, limit: 1 }, ['m2 to good']],
        [{ withMsg: true, withContent: true, limit: 1 }, ['m2 to good'], ([a]) => assert.deepEqual(a.msg.payload, { n: 2 })],
        [{ withMsg: false, limit: 1 }, ['m2 to good'], ([a]) => assert.equal(a.msg ?? null, null)],
    ]],
    ['messageAttempt.listByEndpoint', of_bad, [
        [{ status: 0 }, []],
        [{ status: 2 }, ['m2 to bad', 'm1 to bad', 'm0 to bad']],
        [{ statusCodeClass: 500, tag: 'x' }, ['m2 to bad', 'm0 to bad']],
    ]],
    ['messageAttempt.listByMsg', of_m1, [
        [{ endpointId: c => c.endpoints[0].id }, ['m1 to good']],
        [{ endpointId: 'the-good' }, ['m1 to good']],
        [{ status: 2 }, ['m1 to bad']],
        [{ statusCodeClass: 200 }, ['m1 to good']],
        [{ eventTypes: ['order.paid'] }, []],
        [{ eventTypes: ['order.sent'], status: 0 }, ['m1 to good']],
        [{ channel: 'none' }, []],
        [{ channel: 'red', status: 0 }, ['m1 to good']],
        [{ tag: 'x' }, []],
        [{ before: time_of(0) }, []],
        [{ after: () => new Date(Date.now() + 3600_000) }, []],
        [{ endpointId: 'the-good', iterator: id_of('m1 to good') }, []],
        [{ endpointId: 'the-good', limit: 1, withContent: true, expandedStatuses: true }, ['m1 to good']],
        [{ endpointId: c => c.endpoints[1].id, withContent: false }, ['m1 to bad'], ([a]) => assert.equal(a.response, '{}')],
    ]],
    ['messageAttempt.listAttemptedMessages', of_good, [
        ...by_message, ...between,
        [{ iterator: id_of('m1') }, ['m0']],
        [{ status: 0, expandedStatuses: true }, ['m2', 'm1', 'm0']],
        [{ status: 3 }, []],
        [{ withContent: true, limit: 1 }, ['m2'], ([m]) => assert.deepEqual(m.payload, { n: 2 })],
        [{ withContent: false, limit: 1 }, ['m2'], ([m]) => assert.deepEqual(m.payload, {})],
    ]],
    ['messageAttempt.listAttemptedMessages', of_bad, [
        [{ status: 0 }, []],
        [{ status: 1 }, []],
        [{ status: 2 }, []],
        [{ status: 3 }, ['m2', 'm1', 'm0'], ([m]) => assert.ok(m.nextAttempt > m.timestamp)],
    ]],
    ['messageAttempt.listAttemptedDestinations', of_m1, [
        [{}, ['good', 'bad']],
        [{ limit: 1 }, ['good']],
        [{ iterator: id_of('good') }, ['bad']],
    ]],
    ['backgroundTask.list', () => [], [
        [{ limit: 2 }, ['replayMissing', 'recover']],
        [{ status: 'running' }, []],
        [{ status: 'finished', limit: 2 }, ['replayMissing', 'recover']],
        [{ task: 'endpoint.recover', limit: 1 }, ['recover']],
        [{ order: 'ascending', iterator: id_of('recover') }, ['replayMissing']],
        [{ iterator: id_of('replayMissing'), limit: 1 }, ['recover']],
    ]],
];

// Event types belong to all applications, and have names instead of ids.
const event_types = [
    [{}, ['a.first', 'b.second']],
    [{ limit: 1 }, ['a.first']],
    [{ iterator: 'a.first' }, ['b.second']],
    [{ order: 'descending' }, ['a.first', 'b.second']],     // ignored
    [{ includeArchived: true }, ['a.first', 'b.second', 'c.archived']],
    [{ withContent: true, limit: 1 }, ['a.first'], ([type]) => assert.deepEqual(type.schemas, { 1: {} })],
    [{ withContent: false, limit: 1 }, ['a.first'], ([type]) => assert.equal(type.schemas, null)],
];

const call = (svix, method, ...args) => {
    const [noun, ask] = method.split('.');
    return svix[noun][ask](...args);
};

// What a client calls the options of a method.
const declared = method => `${method[0].toUpperCase()}${method.replace('.list', '.List').slice(1).replace('.', '')}Options`;

for (const major of majors) {
    test(`${major.name} has no option of a list that isn't in the table`, () => {
        const shapes = interfaces(major);
        const tried = new Map([['eventType.list', event_types]]);
        for (const [method, , rows] of lists) tried.set(method, [...tried.get(method) ?? [], ...rows]);
        const are_lists = [...shapes.keys()].filter(name => /^(Application|EventType|Endpoint|Message|MessageAttempt|BackgroundTask)List\w*Options$/.test(name));
        assert.deepEqual(are_lists.sort(), [...tried.keys()].map(declared).sort());
        for (const [method, rows] of tried) {
            const options = new Set(rows.flatMap(([given]) => Object.keys(given)));
            assert.deepEqual(shapes.get(declared(method)).filter(name => !options.has(name)), [], method);
        }
    });

    test(`${major.name} gets of each list what its options ask for`, async t => {
        const svix = client(major, d);
        const c = await shop(svix);
        for (const [method, of, rows] of lists)
            for (const [options, expected, look] of rows) {
                const given = Object.fromEntries(Object.entries(options).map(([name, value]) =>
                    [name, typeof value === 'function' ? value(c) : value]));
                await t.test(`${method} ${of.name} ${JSON.stringify(given)}`, async () => {
                    const { data } = await call(svix, method, ...of(c), given);
                    assert.deepEqual(data.map(item => c.names.get(item.id)).filter(Boolean), expected);
                    look?.(data);
                });
            }
    });

    test(`${major.name} gets of the event types what its options ask for`, async () => {
        const svix = client(major, d);
        for (const name of ['b.second', 'a.first', 'c.archived'])
            await svix.eventType.upsert(name, { description: '', schemas: { 1: {} }, archived: name === 'c.archived' });
        for (const [options, expected, look] of event_types) {
            const { data } = await svix.eventType.list(options);
            assert.deepEqual(data.map(type => type.name), expected, JSON.stringify(options));
            look?.(data);
        }
    });

    test(`${major.name} gets a message and its creation with and without the payload`, async () => {
        const svix = client(major, d);
        const { id: app } = await svix.application.create({ name: 'Shop' });
        const { id } = await svix.message.create(app, { eventType: 'a', payload: { n: 1 } }, { withContent: true });
        for (const [withContent, payload] of [[true, { n: 1 }], [false, {}]])
            assert.deepEqual((await svix.message.get(app, id, { withContent })).payload, payload);
    });

    test(`${major.name} gets the stats of the time that it asks for`, async () => {
        const svix = client(major, d);
        const { id: app } = await svix.application.create({ name: 'Shop' });
        const { id: endpoint } = await svix.endpoint.create(app, { url: good.url });
        const { id } = await svix.message.create(app, { eventType: 'a', payload: {} });
        const [{ timestamp }] = await until(async () => (await svix.messageAttempt.listByMsg(app, id)).data, tried => tried.length > 0);
        const at = timestamp.getTime();
        for (const [since, ends, success] of [[at - 9, at, 1], [at, at, 1], [at - 9, at - 1, 0]])
            assert.deepEqual(await svix.endpoint.getStats(app, endpoint, { since: new Date(since), until: new Date(ends) }),
                { success, pending: 0, sending: 0, fail: 0, canceled: 0 });
    });
}
