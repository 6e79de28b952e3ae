// Names are unique when many take one at the same time, and free again when what had them is gone.
import test, { after } from 'node:test';
import assert from 'node:assert/strict';
import { dispatcher } from './lib/dispatcher.mjs';

const d = await dispatcher({ after });
const { id: app } = await d.must('POST', '/app', { name: 'Shop' });
const MANY = 32;

let names = 0;
const fresh = () => `name-${names++}`;
const application = uid => ({ name: 'A', uid });
const endpoint = uid => ({ url: 'http://h/', uid });

// How `name` is taken, and how what took it goes away.
const taken = [
    ['an application\'s uid by POST', name => d.call('POST', '/app', application(name)), 'conflict', made => `/app/${made.id}`],
    ['an application\'s uid by PUT', name => d.call('PUT', `/app/${fresh()}`, application(name)), 'conflict', made => `/app/${made.id}`],
    ['an application\'s uid by PUT and POST', (name, n) => n % 2 ? d.call('POST', '/app', application(name))
        : d.call('PUT', `/app/${fresh()}`, application(name)), 'conflict', made => `/app/${made.id}`],
    ['an endpoint\'s uid by POST', name => d.call('POST', `/app/${app}/endpoint`, endpoint(name)), 'conflict',
        made => `/app/${app}/endpoint/${made.id}`],
    ['an endpoint\'s uid by PUT', name => d.call('PUT', `/app/${app}/endpoint/${fresh()}`, endpoint(name)), 'conflict',
        made => `/app/${app}/endpoint/${made.id}`],
    ['an event type\'s name by POST', name => d.call('POST', '/event-type', { name, description: '' }), 'event_type_exists',
        made => `/event-type/${made.name}?expunge=true`],
    ['a message\'s event id', name => d.call('POST', `/app/${app}/msg`, { eventType: 'a', payload: {}, eventId: name }), 'conflict'],
];

const many = ask => Promise.all(Array.from({ length: MANY }, (_, n) => ask(n)));

for (const [what, take, code, path] of taken)
    test(`${what} goes to one of ${MANY} that want it at once`, async () => {
        const name = fresh();
        const answers = await many(n => take(name, n));
        const [made, ...more] = answers.filter(({ status }) => status < 300);
        assert.deepEqual(more, []);
        const refused = answers.filter(({ status }) => status >= 300);
        assert.equal(refused.length, MANY - 1);
        for (const { status, body } of refused) assert.deepEqual([status, body.code], [409, code]);
        if (!path) return;
        await d.must('DELETE', path(made.body));
        const again = await many(n => take(name, n));
        assert.equal(again.filter(({ status }) => status < 300).length, 1, 'free again, for one');
    });

test('a PUT of an unknown name makes one thing of many at once, if its body has that name', async () => {
    for (const [path, body] of [
        [name => `/app/${name}`, application],
        [name => `/app/${app}/endpoint/${name}`, endpoint],
        [name => `/event-type/${name}`, () => ({ description: '' })],
    ]) {
        const name = fresh();
        const answers = await many(() => d.call('PUT', path(name), body(name)));
        assert.equal(answers.filter(({ status }) => status === 201).length, 1, path(name));
        for (const { status } of answers) assert.ok([200, 201, 409].includes(status), `${path(name)}: ${status}`);
        const { createdAt } = await d.must('GET', path(name));
        for (const { body: made } of answers.filter(({ status }) => status < 300)) assert.equal(made.createdAt, createdAt);
    }
});

test('the path of a PUT is not taken as uid', async () => {
    const name = fresh();
    const first = await d.call('PUT', `/app/${name}`, { name: 'A' });
    const second = await d.call('PUT', `/app/${name}`, { name: 'A' });
    assert.deepEqual([first.status, second.status], [201, 201]);
    assert.notEqual(first.body.id, second.body.id);
    assert.equal((await d.call('GET', `/app/${name}`)).status, 404);
});

test('a PATCH and a PUT to a taken uid change nothing', async () => {
    const [held, wanted] = [fresh(), fresh()];
    await d.must('POST', '/app', application(held));
    const { id } = await d.must('POST', '/app', application(wanted));
    for (const [method, body] of [['PATCH', { uid: held }], ['PUT', application(held)]]) {
        const { status, body: { code } } = await d.call(method, `/app/${id}`, body);
        assert.deepEqual([status, code], [409, 'conflict']);
        assert.equal((await d.must('GET', `/app/${id}`)).uid, wanted);
    }
    assert.equal((await d.call('PATCH', `/app/${id}`, { uid: wanted })).status, 200, 'its own');
});

test('a uid that is unset or changed is free at once, and an application takes its endpoints\' uids along', async () => {
    const name = fresh();
    const { id } = await d.must('POST', '/app', application(name));
    await d.must('PATCH', `/app/${id}`, { uid: null });
    const { id: second } = await d.must('POST', '/app', application(name));
    await d.must('POST', `/app/${second}/endpoint`, endpoint(name));
    await d.must('PATCH', `/app/${second}`, { uid: fresh() });
    const { id: third } = await d.must('POST', '/app', application(name));
    await d.must('POST', `/app/${third}/endpoint`, endpoint(name));
    await d.must('DELETE', `/app/${third}`);
    assert.equal((await d.call('GET', `/app/${third}/endpoint/${name}`)).status, 404);
    const { id: fourth } = await d.must('POST', '/app', application(name));
    assert.equal((await d.call('GET', `/app/${fourth}/endpoint/${name}`)).status, 404);
});
