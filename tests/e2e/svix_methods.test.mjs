// Every method of the published svix clients is served as its case has it, or answers a 404 in JSON.
import test, { after } from 'node:test';
import assert from 'node:assert/strict';
import { isDocumented } from './lib/contract.mjs';
import { dispatcher, posthaste } from './lib/dispatcher.mjs';
import { receiver } from './lib/receiver.mjs';
import { client, majors, methodsOf, outcome } from './lib/svix.mjs';
import { hosted_only, isAmong, served, to_come } from './lib/svix_methods.mjs';
import { until } from './lib/wait.mjs';

const d = await dispatcher({ after });
const r = await receiver({ after });

// What the cases are given.
async function context(major, svix) {
    let names = 0;
    const { id: app } = await svix.application.create({ name: 'Shop' });
    await svix.eventType.upsert('order.paid', { description: 'Paid' });
    const { id: endpoint } = await svix.endpoint.create(app, { url: r.url });
    const { key: secret } = await svix.endpoint.getSecret(app, endpoint);
    const { id: message } = await svix.message.create(app, { eventType: 'order.paid', payload: { amount: 12 } });
    const [{ id: attempt }] = await until(async () => (await svix.messageAttempt.listByMsg(app, message)).data,
        attempts => attempts.length > 0);
    const name = () => `${app.slice(-8)}-${names++}`;
    const as = token => client(major, d, { token });
    return { library: major.library, as, svix, app, endpoint, secret, message, attempt, name, receiver: r };
}

for (const major of majors) {
    const { name, library } = major;
    const methods = methodsOf(new library.Svix('token', { serverUrl: d.url }));
    const cases = new Map(Object.entries(served[major.major]).map(([method, run]) =>
        [methods.includes(method) ? method : method.replace('upsert', 'update').replace('setHeaders', 'updateHeaders'), run]));

    test(`${name} has no method that is in none or in two of the lists, and none is listed that it hasn't`, () => {
        const where = method => [cases.has(method), isAmong(to_come, method), isAmong(hosted_only, method)].filter(Boolean).length;
        assert.deepEqual(methods.filter(method => where(method) !== 1), []);
        assert.deepEqual([...cases.keys()].filter(method => !methods.includes(method)), []);
    });

    test(`${name} is served with every method that we have`, async t => {
        const called = new Set();
        const svix = client(major, d, { called });
        const c = await context(major, svix);
        for (const [method, run] of cases)
            await t.test(method, async () => {
                called.clear();
                await run(c);
                assert.ok(called.has(method), `its case doesn't call ${method}`);
            });
    });

    // As any argument goes what the client can write down as a part of the path and as a body: nothing looks at it.
    const any = { events: [], toString: () => 'any' };
    async function ask(svix, method) {
        const path = method.split('.');
        const last = path.pop();
        return outcome(() => path.reduce((part, step) => part[step], svix)[last](any, any, any, any, any));
    }

    test(`${name} is answered 404 in JSON by what only the hosted edition has`, async () => {
        for (const method of methods.filter(m => isAmong(hosted_only, m))) {
            const { code, body } = await ask(client(major, d), method);
            assert.deepEqual([code, body], [404, { code: 'not_found', detail: 'Entity not found' }], method);
        }
    });

    test(`${name} is served with nothing that is listed as to come`, async () => {
        let documented;
        const fetch = async (url, { method }) => {
            documented = isDocumented(posthaste, method, url);
            return Response.json({ code: 'not_found', detail: 'Entity not found' }, { status: 404 });
        };
        const svix = new library.Svix('token', { serverUrl: d.url, fetch });
        for (const method of methods.filter(m => isAmong(to_come, m))) {
            await ask(svix, method);
            assert.equal(documented, false, `${method} is in the contract now: it wants a case`);
        }
    });
}

test('no name in the lists stands for nothing', () => {
    const methods = majors.flatMap(({ library }) => methodsOf(new library.Svix('token', { serverUrl: d.url })));
    for (const name of [...to_come, ...hosted_only])
        assert.ok(methods.some(method => isAmong([name], method)), name);
});
