// Bad input for every parameter and every member of every body that the OpenAPI document has: what the document doesn't allow is
// refused by a 422 that names the place, what is unknown by a 404, and nothing by a 500. That each answer is JSON of the contract
// is checked wherever a test asks; see lib/contract.mjs.
import test, { after } from 'node:test';
import assert from 'node:assert/strict';
import Ajv from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { execFileSync } from 'node:child_process';
import { dispatcher, posthaste } from './lib/dispatcher.mjs';
import { receiver } from './lib/receiver.mjs';
import { until } from './lib/wait.mjs';

const contract = JSON.parse(execFileSync(posthaste, ['openapi'], { encoding: 'utf8', maxBuffer: 16 << 20 }));
const ajv = new Ajv({ strict: false });
addFormats(ajv);
ajv.addSchema({ $id: 'openapi', components: { schemas: contract.components.schemas } });
const validates = schema => ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"openapi#/')));
const resolve = value => value?.$ref === undefined ? value
    : { ...value, ...value.$ref.slice(2).split('/').reduce((at, part) => at[part], contract), $ref: undefined };

// All but the page, which isn't JSON.
const LOCAL = '/api/v1';
const operations = Object.entries(contract.paths).filter(([path]) => path.startsWith(LOCAL)).flatMap(([path, item]) =>
    Object.entries(item).filter(([, operation]) => operation.operationId).map(([method, operation]) => ({
        id: operation.operationId, method: method.toUpperCase(), path: path.slice(LOCAL.length),
        parameters: [...item.parameters ?? [], ...operation.parameters ?? []].map(resolve),
        body: resolve(operation.requestBody)?.content['application/json'], required: resolve(operation.requestBody)?.required,
    })));

const d = await dispatcher({ after }, { args: ['--retry-schedule', '3600'] });
const r = await receiver({ after });

// Something for each parameter of a path; `other` is another application's.
async function things() {
    const { app, id: endpoint } = await d.endpoint(r.url);
    const { id: msg } = await d.send(app, { n: 1 });
    const [{ id: attempt }] = await until(() => d.attempts(app, msg), attempts => attempts.length > 0);
    const { id: task } = await d.must('POST', `/app/${app}/endpoint/${endpoint}/recover`, { since: new Date(Date.now() - 1000) });
    const { id: operational } = await d.must('POST', '/operational-webhook/endpoint', { url: r.url, disabled: true });
    return { app, endpoint, msg, attempt, task, operational };
}
await d.must('POST', '/event-type', { name: 'order.paid', description: '' });
const own = { ...await things(), name: 'order.paid', region: 'none' };
const other = await things();

function call({ method, path }, { parts = own, query = '', body } = {}) {
    const filled = path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(parts[name]));
    return d.call(method, query ? `${filled}?${query}` : filled, body);
}

// The document's example of a body. Names that can be taken but once are left out or new each time, and so are those of what
// isn't here.
let names = 0;
function example({ id, body }) {
    if (!body) return undefined;
    const { uid, eventId, application, appIds, ...rest } = resolve(Object.values(body.examples)[0]).value;
    void [uid, eventId, application, appIds];
    return { ...rest, ...rest.url && { url: r.url }, ...id === 'createEventType' && { name: `t${names++}` } };
}

// No '' and no '..': clients resolve those before they ask.
const strange = ['none', 'a b', '%', '\u0000', '/', '-', "' OR 1=1 --", '\u{1f4a9}', 'x'.repeat(300), 'y'.repeat(9000)];
const zeros = '0'.repeat(27);
const ids = ['app', 'ep', 'msg', 'atmpt', 'qtask'].flatMap(kind => [`${kind}_${zeros}`, `${kind}_${'z'.repeat(27)}`, `${kind}_`]);

test('a path that names nothing, or another application\'s, is not found', async t => {
    for (const operation of operations)
        for (const { name } of operation.parameters.filter(parameter => parameter.in === 'path'))
            await t.test(`${operation.id}: ${name}`, async () => {
                const creates = operation.method === 'PUT' && operation.path.endsWith(`{${name}}`);
                const foreign = ['app', 'task', 'operational'].includes(name) || other[name] === undefined ? [] : [other[name]];
                for (const value of [...strange, ...ids, ...foreign]) {
                    const parts = { ...own, [name]: value };
                    const { status, body } = await call(operation, { parts, body: example(operation) });
                    const allowed = creates ? [200, 201, 404, 405, 409, 422] : [400, 404, 405, 422];
                    assert.ok(allowed.includes(status), `${JSON.stringify(value)}: ${status} ${JSON.stringify(body)}`);
                    if (status === 201 && body.name === value) await d.must('DELETE', `/event-type/${value}?expunge=true`);
                }
            });
});

// Values that a parameter's schema doesn't allow, as text.
function wrong(parameter) {
    const schema = resolve(parameter.schema);
    const values = { integer: ['', 'many', '-1', '1.5', '99999999999', '1e3', '0x1', ' 1'], boolean: ['', '1', 'TRUE', 'yes'] };
    if (schema.type === 'integer') return [...values.integer, ...schema.maximum === undefined ? ['1'] : [String(schema.maximum + 1)]];
    if (schema.type === 'boolean') return values.boolean;
    if (schema.enum) return ['', 'none', schema.enum[0].toUpperCase()];
    if (schema.format === 'date-time')
        return ['', 'yesterday', '2026-11-24', '2026-13-01T00:00:00Z', '2026-02-30T00:00:00Z', '2026-11-24T24:61:00Z', '0', '99999-01-01T00:00:00Z'];
    if (parameter.name === 'iterator')
        return ['', '-', 'a b', '-a b', '\u00e9', 'x'.repeat(300), 'y'.repeat(8000)];
    if (schema.type === 'array') return ['a b', 'ok,a b', 'x'.repeat(300), Array.from({ length: 65 }, (_, n) => `t${n}`).join(), '\u00e9'];
    return ['a b', 'x'.repeat(300), '\u{1f4a9}', "'"];
}

const iterators = {      // of lists whose items have ids: those of another kind
    listEventTypes: [], listMessages: ['app'], listTriedMessages: ['atmpt'], listApplications: ['ep'],
};

test('a parameter that isn\'t as the document has it is refused, and named', async t => {
    for (const operation of operations)
        for (const parameter of operation.parameters.filter(p => p.in === 'query'))
            await t.test(`${operation.id}: ${parameter.name}`, async () => {
                const forged = parameter.name === 'iterator' ? (iterators[operation.id] ?? ['app']).map(kind => `${kind}_${zeros}`) : [];
                for (const value of [...wrong(parameter), ...forged]) {
                    const query = new URLSearchParams({ [parameter.name]: value }).toString();
                    const { status, body } = await call(operation, { query, body: example(operation) });
                    assert.equal(status, 422, `${JSON.stringify(value)}: ${status} ${JSON.stringify(body)}`);
                    assert.deepEqual(body.detail[0].loc, ['query', parameter.name], JSON.stringify(value));
                }
                for (const query of [`${parameter.name}=%`, `${parameter.name}=%zz`, `${parameter.name}=%00`]) {
                    const { status, body } = await call(operation, { query, body: example(operation) });
                    assert.deepEqual([status, body.code], [400, 'generic_error'], query);
                }
            });
});

test('an iterator of another list, or of what is gone, ends in a page or a 422', async () => {
    for (const operation of operations.filter(({ parameters }) => parameters.some(({ name }) => name === 'iterator')))
        for (const id of [...ids, ...Object.values(other)])
            for (const query of [`iterator=${id}`, `iterator=-${id}`, `iterator=${id}&limit=250&iterator=-${id}`]) {
                const { status } = await call(operation, { query });
                assert.ok(status === 200 || status === 422, `${operation.id} ${query}: ${status}`);
            }
});

const values = [null, true, 7, -1, 0, 1.5, 1e300, '', 'a', 'a b', 'http://h/', '2026-11-24T02:57:36Z', 'x'.repeat(20_000), [], [7], [null],
    ['a b'], [['a']], Array.from({ length: 300 }, (_, n) => `n${n}`), {}, { a: 7 }, { a: null }, { a: 'b' }, { a: 'y'.repeat(5000) },
    { 'a b': 'c' }];

// Of no effect in a region that is alone, or only without the others.
const regional = ['residency', 'targets', 'dispatch', 'location', 'recorded'];
const not_read = ['replaceEndpoint.secret', 'replaceOperationalEndpoint.secret'];      // it keeps the one that it has

const broken = ['{', '[1]', '"x"', 'null', '7', '{} x', '{"a":1,}', '{"a":"\u0001"}', '{"a":"\\ud800"}', '{"a":"\\u0000"}'];

test('a body that is no object is refused, and one that is too large', async t => {
    for (const operation of operations.filter(({ body }) => body))
        await t.test(operation.id, async () => {
            for (const body of [...broken, ...operation.required ? [''] : []]) {
                const { status, body: answer } = await call(operation, { body });
                assert.equal(status, 422, `${body}: ${status} ${JSON.stringify(answer)}`);
                assert.equal(answer.detail[0].loc[0], 'body', body);
            }
            const { status, body: answer } = await call(operation, { body: { a: 'x'.repeat(3 << 20) } });
            assert.deepEqual([status, answer.code], [413, 'payload_too_large']);
        });
});

// Every member of a schema, and of the objects in it, as a path.
function members(schema, path = []) {
    const { properties, anyOf, items } = resolve(schema);
    const inside = anyOf?.map(resolve).find(each => each.properties);
    if (path.length > 2) return [];
    return Object.entries(properties ?? inside?.properties ?? (items && path.length > 0 ? resolve(items).properties : undefined) ?? {}).flatMap(([name, member]) => {
        const at = [...path, ...items ? [0] : [], name];
        return [at, ...members(member, at)];
    });
}

// What a schema can't say: of `member`, what is refused although it allows it.
const stricter = {
    metadata: /at most 4096 bytes/,
    until: /must be after since/,
    eventTypes: /is no event type that exists/, filterTypes: /is no event type that exists/,
    appId: /is expected with/, endpointId: /one of/, messageId: /one of/, recorded: /one of/, whatIf: /./,
    headers: /./,
    uid: /must be the application in the path/,
    appIds: /there is none of them here/,
    spec: /./, specRaw: /./,
};

// Where two names are given the one wins, or both are refused.
const newer = { filterTypes: 'eventTypes', rateLimit: 'throttleRate', data: 'payload', specRaw: 'spec' };

// A body with this value at this place, and what else it takes for it to be looked at.
function bodyWith(operation, path, value) {
    const base = example(operation);
    delete base[newer[path[0]]];
    if (path[0] === 'application' && path.length > 1) base.application = { name: 'New', uid: own.new };
    if (path[0] === 'application' && newer[path[1]]) delete base.application[newer[path[1]]];
    return place(base, path, value);
}

function place(body, [name, ...rest], value) {
    const into = Array.isArray(body) ? [...body] : { ...body };
    const inner = typeof into[name] === 'object' && into[name] !== null ? into[name] : typeof rest[0] === 'number' ? [] : {};
    into[name] = rest.length === 0 ? value : place(inner, rest, value);
    return into;
}

test('a member that isn\'t as the document has it is refused, and named', async t => {
    for (const operation of operations.filter(({ body }) => body)) {
        const allows = validates(operation.body.schema);
        for (const path of members(operation.body.schema))
            await t.test(`${operation.id}: ${path.join('.')}`, async () => {
                for (const value of values) {
                    own.new = `new-${names++}`;
                    const body = bodyWith(operation, path, value);
                    const parts = path[0] === 'application' ? { ...own, app: own.new } : own;
                    const answer = await call(operation, { parts, body });
                    const says = `${JSON.stringify(value)?.slice(0, 60)}: ${answer.status} ${JSON.stringify(answer.body)}`;
                    assert.ok(answer.status < 500, says);
                    if (path.some(part => regional.includes(part)) || not_read.includes(`${operation.id}.${path[0]}`)) continue;
                    if (allows(body)) {
                        if (answer.status === 422) assert.match(answer.body.detail[0].msg, stricter[path.at(-1)] ?? /^$/, `allowed: ${says}`);
                    } else {
                        assert.equal(answer.status, 422, `refused: ${says}`);
                        const places = [path, [newer[path[0]], ...path.slice(1)]].map(at => ['body', ...at].join('/'));
                        assert.ok(answer.body.detail.some(({ loc }) => places.some(at => loc.join('/').startsWith(at))), says);
                    }
                }
            });
    }
});
