// What is wrong with a request is looked for in one order: the route, the query, the token, what the token may do, the
// application, the body, and then the rest of the path. Of two things that are wrong the first is answered.
import test, { after } from 'node:test';
import assert from 'node:assert/strict';
import { dispatcher } from './lib/dispatcher.mjs';

const d = await dispatcher({ after });
const { id: app } = await d.must('POST', '/app', { name: 'Shop' });
const { id: endpoint } = await d.must('POST', `/app/${app}/endpoint`, { url: 'http://h/' });
const portal = d.run('token', 'create', '--config', d.config, '--app', app).trim();

const bad = { authorization: 'Bearer nonsense' };
const application = { authorization: `Bearer ${portal}` };
const none = 'nothing';
const rows = [
    ['no route before a bad token', 'GET', '/nothing', undefined, bad, 404, 'not_found'],
    ['no method before a bad token', 'PATCH', '/app?limit=many', {}, bad, 405, 'method_not_allowed'],
    ['a bad query before a bad token', 'GET', '/app?limit=1000', undefined, bad, 422, 'limit'],
    ['a bad query before a forbidden route', 'GET', '/app?limit=1000', undefined, application, 422, 'limit'],
    ['a bad query before an unknown application', 'GET', `/app/${none}/msg?channel=a%20b`, undefined, {}, 422, 'channel'],
    ['a bad token before an unknown application', 'GET', `/app/${none}`, undefined, bad, 401, 'authentication_failed'],
    ['a bad token before a bad body', 'POST', '/app', '{', bad, 401, 'authentication_failed'],
    ['a forbidden route before an unknown application', 'PUT', `/app/${none}`, { name: 'A' }, application, 403, 'insufficient access'],
    ['a forbidden route before a bad body', 'POST', '/app', '{', application, 403, 'insufficient access'],
    ['an unknown application before a bad body', 'POST', `/app/${none}/msg`, '{', {}, 404, 'not_found'],
    ['an unknown application before a bad body', 'POST', `/app/${none}/endpoint`, { url: 7 }, {}, 404, 'not_found'],
    ['an unknown application before a bad body', 'PATCH', `/app/${none}`, '[]', {}, 404, 'not_found'],
    ['an unknown application before a bad body', 'POST', `/app/${none}/endpoint/${none}/recover`, '{}', {}, 404, 'not_found'],
    ['a bad body before an unknown endpoint', 'PATCH', `/app/${app}/endpoint/${none}`, { url: 7 }, {}, 422, 'url'],
    ['a bad body before an unknown endpoint', 'PUT', `/app/${app}/endpoint/${none}/headers`, { headers: 7 }, {}, 422, 'headers'],
    ['a bad body before an unknown endpoint', 'PATCH', `/app/${app}/endpoint/${none}/headers`, '[', {}, 422, 'body'],
    ['a bad body before an unknown endpoint', 'POST', `/app/${app}/endpoint/${none}/secret/rotate`, { gracePeriodSeconds: -1 }, {},
        422, 'gracePeriodSeconds'],
    ['a bad body before an unknown endpoint', 'POST', `/app/${app}/endpoint/${none}/recover`, {}, {}, 422, 'since'],
    ['a bad body before an unknown endpoint', 'POST', `/app/${app}/endpoint/${none}/replay-missing`, {}, {}, 422, 'since'],
    ['a bad body before an unknown endpoint', 'POST', `/app/${app}/endpoint/${none}/bulk-replay`, { since: 7 }, {}, 422, 'since'],
    ['a bad body before an unknown endpoint', 'POST', `/app/${app}/endpoint/${none}/send-example`, {}, {}, 422, 'eventType'],
    ['a bad body before an unknown event type', 'PATCH', `/event-type/${none}`, { deprecated: 7 }, {}, 422, 'deprecated'],
    ['an unknown event type of an endpoint', 'POST', `/app/${app}/endpoint`, { url: 'http://h/', eventTypes: [none] }, {}, 422, 'eventTypes'],
    ['a wrong member before a taken name', 'POST', '/app', { name: 7, uid: 'taken' }, {}, 422, 'name'],
];

for (const [what, method, path, body, headers, status, says] of rows)
    test(`${what}: ${method} ${path.replace(app, '{app}')}`, async () => {
        await d.call('POST', '/app', { name: 'Taken', uid: 'taken' });
        const answer = await d.call(method, path, body, headers);
        assert.equal(answer.status, status, JSON.stringify(answer.body));
        if (status === 422) assert.equal(answer.body.detail[0].loc.find(part => part === says) ?? answer.body.detail[0].loc[0], says);
        else assert.equal(answer.body.code, says);
    });

test('an application\'s token finds no other application, and no id of another', async () => {
    const { id: other } = await d.must('POST', '/app', { name: 'Other' });
    const { id: others } = await d.must('POST', `/app/${other}/endpoint`, { url: 'http://h/' });
    const { id: message } = await d.must('POST', `/app/${other}/msg`, { eventType: 'a', payload: {} });
    const own = { endpoint, unknown: others };
    for (const [headers, path] of [
        [application, `/app/${other}`],
        [application, `/app/${other}/endpoint`],
        [application, `/app/${other}/endpoint/${others}`],
        [application, `/app/${other}/msg/${message}`],
        ...[application, {}].flatMap(who => [
            [who, `/app/${app}/endpoint/${own.unknown}`],
            [who, `/app/${app}/endpoint/${own.unknown}/secret`],
            [who, `/app/${app}/endpoint/${own.unknown}/headers`],
            [who, `/app/${app}/endpoint/${own.unknown}/stats`],
            [who, `/app/${app}/endpoint/${own.unknown}/msg`],
            [who, `/app/${app}/msg/${message}`],
            [who, `/app/${app}/msg/${message}/endpoint`],
            [who, `/app/${app}/attempt/msg/${message}`],
            [who, `/app/${app}/attempt/endpoint/${own.unknown}`],
        ]),
    ]) {
        const { status, body } = await d.call('GET', path, undefined, headers);
        assert.deepEqual([status, body], [404, { code: 'not_found', detail: 'Entity not found' }], path);
    }
    assert.equal((await d.call('GET', `/app/${app}/endpoint/${own.endpoint}`, undefined, application)).status, 200);
});
