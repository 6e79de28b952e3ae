// The OpenAPI document: by the linter's rules, by its own examples, and as a page. That answers are what it says is checked
// wherever a test here asks; see lib/contract.mjs.
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { BaseResolver, createConfig, lintFromString } from '@redocly/openapi-core';
import Ajv from 'ajv/dist/2020.js';
import { checkAnswer } from './lib/contract.mjs';
import { checkedFetch, dispatcher, posthaste } from './lib/dispatcher.mjs';
import { receiver } from './lib/receiver.mjs';

const text = execFileSync(posthaste, ['openapi'], { encoding: 'utf8', maxBuffer: 16 << 20 });
const contract = JSON.parse(text);

async function lint(source) {
    const config = await createConfig({
        extends: ['recommended-strict'],
        rules: {
            'no-invalid-media-type-examples': 'error',
            'no-invalid-parameter-examples': 'error',
            'no-invalid-schema-examples': 'error',
            'operation-4xx-response': 'off',    // health and the page have none
        },
    });
    const problems = await lintFromString({ source, absoluteRef: 'openapi.json', config, externalRefResolver: new BaseResolver() });
    return problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} at ${location[0].pointer}`);
}

test('the document passes the linter', async () => {
    assert.deepEqual(await lint(text), []);
});

test('the linter sees an example that is wrong, and a reference to nothing', async () => {
    const wrong = structuredClone(contract);
    wrong.components.examples.ApplicationOut.value.id = 7;
    assert.match((await lint(JSON.stringify(wrong))).join('\n'), /no-invalid-media-type-examples/);
    delete wrong.components.schemas.Error;
    assert.match((await lint(JSON.stringify(wrong))).join('\n'), /no-unresolved-refs/);
});

const base = 'http://127.0.0.1:1/api/v1';
const json = new Map([['content-type', 'application/json']]);
const application = contract.components.examples.ApplicationOut.value;
const answers = [
    ['an answer of the contract', 'GET', '/app/shop', 200, json, application],
    ['a member too many', 'GET', '/app/shop', 200, json, { ...application, colour: 'blue' }, /additional/],
    ['a member too few', 'GET', '/app/shop', 200, json, { ...application, name: undefined }, /'name'/],
    ['a member of another type', 'GET', '/app/shop', 200, json, { ...application, metadata: [] }, /metadata must be object/],
    ['a member too many of a part', 'GET', '/app/shop', 200, json,
        { ...application, residency: { ...application.residency, colour: 'blue' } }, /additional/],
    ['a wrong item of a page', 'GET', '/app', 200, json, { data: [{}], iterator: null, done: true }, /data\/0/],
    ['a success that none is', 'DELETE', '/app/shop', 200, json, {}, /200 isn't in the contract/],
    ['a body where there is none', 'DELETE', '/app/shop', 204, json, {}, /a body/],
    ['another kind of body', 'GET', '/app/shop', 200, new Map([['content-type', 'text/html']]), application, /text\/html/],
    ['an error without its detail', 'GET', '/app/shop', 503, json, { code: 'server_busy' }, /'detail'/],
    ['a success where nothing is', 'GET', '/nothing', 200, json, {}, /nothing is documented/],
];
test('an answer that is not of the contract is found out', () => {
    for (const [name, method, path, status, headers, body, says] of answers) {
        const check = () => checkAnswer(posthaste, method, base + path, status, headers, JSON.stringify(body));
        if (says) assert.throws(check, says, name);
        else check();
    }
});

function resolve(value) {
    return value?.$ref === undefined ? value : value.$ref.slice(2).split('/').reduce((at, part) => at[part], contract);
}

const operations = new Map(Object.entries(contract.paths).flatMap(([path, item]) =>
    Object.entries(item).filter(([, operation]) => operation.operationId).map(([method, operation]) =>
        [operation.operationId, { path, method: method.toUpperCase(), operation, shared: item.parameters ?? [] }])));

// The path and the body as the document's examples have them.
function request({ path, operation, shared }) {
    const [, media] = Object.entries(resolve(operation.requestBody)?.content ?? {})[0] ?? [];
    const [example] = Object.values(media?.examples ?? {}).map(resolve);
    const part = name => shared.map(resolve).find(p => p.name === name).example;
    return { path: path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(part(name))), body: example?.value };
}

test('the examples of what is asked are taken', async t => {
    const d = await dispatcher(t);
    for (const id of ['createApplication', 'createEventType', 'createEndpoint', 'createMessage', 'getMessage', 'resendMessage',
        'listDestinations', 'listTriedMessages', 'listAttemptsByMessage', 'listApplications', 'getApplication', 'listEventTypes',
        'getEventType', 'replaceEventType', 'patchEventType', 'listEndpoints', 'getEndpoint', 'replaceEndpoint', 'patchEndpoint', 'replaceEndpointHeaders', 'getEndpointHeaders',
        'patchEndpointHeaders', 'rotateEndpointSecret', 'getEndpointSecret', 'listMessages', 'listAttemptsByEndpoint',
        'getEndpointStats', 'explainRoute', 'expungeMessage', 'getStatus', 'getHealth', 'ping', 'getOpenapi', 'getDocs', 'getDocsFile', 'listRegions',
        'listReplication', 'listReplicationConflicts', 'createOperationalEndpoint',
        'listOperationalEndpoints', 'getOperationalEndpoint', 'replaceOperationalEndpoint', 'patchOperationalEndpoint',
        'replaceOperationalEndpointHeaders', 'getOperationalEndpointHeaders', 'rotateOperationalEndpointSecret',
        'getOperationalEndpointSecret', 'deleteOperationalEndpoint', 'openPortal', 'openDashboard', 'expireTokens', 'deleteEndpoint', 'deleteEventType', 'replaceApplication',
        'patchApplication']) {
        const operation = operations.get(id);
        const { path, body } = request(operation);
        const response = await checkedFetch(d.url + path, {
            method: operation.method,
            headers: { authorization: `Bearer ${d.token}`, 'content-type': 'application/json' },
            body: body && JSON.stringify(body),
        });
        assert.ok(response.status < 300, `${id}: ${response.status} ${await response.text()}`);
    }
});

test('a delivery has the headers that the document promises to subscribers', async t => {
    const d = await dispatcher(t);
    const r = await receiver(t);
    const { app } = await d.endpoint(r.url);
    await d.send(app, { amount: 12 });
    await r.arrived(1);
    const [{ headers }] = r.deliveries;
    const { parameters, requestBody } = contract.webhooks.delivery.post;
    for (const { name, schema } of parameters.map(resolve)) {
        const check = new Ajv({ strict: false }).compile(schema);
        assert.ok(check(headers[name]), `${name}: ${headers[name]}`);
    }
    assert.ok(requestBody.content[headers['content-type']]);
});

test('the page is made of files of its own, and runs nothing that stands in it', async t => {
    const d = await dispatcher(t);
    const response = await checkedFetch(`${d.url}/docs`);
    const page = await response.text();
    const policy = response.headers.get('content-security-policy');
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe|https?:|\*/);
    const files = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url);
    assert.deepEqual(files, ['/docs/docs.css', '/docs/docs.js', '/api/v1/openapi.json']);
    for (const file of files) assert.equal((await checkedFetch(d.url + file)).status, 200, file);
    assert.doesNotMatch(page, /<style|style=|\son\w+=|<script(?![^>]*src=)/);
    assert.equal((await checkedFetch(`${d.url}/docs/none.js`)).status, 404);
});
