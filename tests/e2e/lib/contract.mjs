// The contract, as the program prints it: what a server of ours answers must be what the document says, and no more.
import { execFileSync } from 'node:child_process';
import Ajv from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

const LOCAL = /^\/(api\/v1|docs)(\/|$)/;

let contract;       // made when it is first asked for

// A client is to ignore members that it doesn't know, so the document leaves objects open. Here they are closed: a member
// that isn't documented is a fault.
function close(schema) {
    if (schema === null || typeof schema !== 'object') return schema;
    if (Array.isArray(schema)) return schema.map(close);
    const closed = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, close(value)]));
    return schema.properties && schema.additionalProperties === undefined
        ? { ...closed, additionalProperties: false } : closed;
}

function read(posthaste) {
    const document = JSON.parse(execFileSync(posthaste, ['openapi'], { encoding: 'utf8', maxBuffer: 16 << 20 }));
    const ajv = new Ajv({ strict: false, allErrors: true });
    addFormats(ajv);
    const { schemas } = document.components;
    ajv.addSchema({ $id: 'openapi', components: { schemas: close(schemas) } });
    const paths = Object.entries(document.paths).map(([path, item]) => ({
        path, item, literals: path.split('{').length,
        pattern: new RegExp(`^${path.replace(/[.]/g, '\\.').replace(/\{[^}]+\}/g, '[^/]+')}/?$`),
    }));
    paths.sort((a, b) => a.literals - b.literals);      // a literal part beats one in braces
    return { document, ajv, paths, checks: new Map() };
}

function responseOf(document, item, method, status) {
    const { responses } = item[method];
    const given = responses[status] ?? (status >= 300 ? responses.default : undefined);
    return given?.$ref ? document.components.responses[given.$ref.split('/').at(-1)] : given;
}

function checkOf(schema) {
    const key = JSON.stringify(schema);
    if (!contract.checks.has(key))
        contract.checks.set(key, contract.ajv.compile(JSON.parse(JSON.stringify(close(schema)).replaceAll('"#/', '"openapi#/'))));
    return contract.checks.get(key);
}

function checkBody(where, content, type, text) {
    if (!content) {
        if (text !== '') throw new Error(`${where}: a body that isn't in the contract: ${text}`);
        return;
    }
    const media = content[type];
    if (!media) throw new Error(`${where}: ${type || 'an empty body'} isn't in the contract`);
    const check = checkOf(media.schema);
    if (!check(type === 'application/json' ? JSON.parse(text) : text))
        throw new Error(`${where}: not as the contract has it: ${contract.ajv.errorsText(check.errors)}\n${text.slice(0, 2000)}`);
}

function find(method, pathname) {
    return contract.paths.find(({ pattern, item }) => pattern.test(pathname) && item[method]);
}

// Whether the contract has an operation there.
export function isDocumented(posthaste, method, url) {
    contract ??= read(posthaste);
    return find(method.toLowerCase(), new URL(url).pathname) !== undefined;
}

// What stands where nothing is served: the router's own 404 and 405.
const NOWHERE = { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } };

// Throws unless this is an answer of the contract's; `headers` has get().
export function checkAnswer(posthaste, method, url, status, headers, text) {
    contract ??= read(posthaste);
    const { pathname } = new URL(url);
    if (!LOCAL.test(pathname)) return;
    const verb = method === 'HEAD' ? 'get' : method.toLowerCase();
    const where = `${method} ${pathname}: ${status}`;
    const type = (headers.get('content-type') ?? '').split(';')[0];
    const found = find(verb, pathname);
    const response = found && responseOf(contract.document, found.item, verb, status);
    if (found && !response) throw new Error(`${where} isn't in the contract`);
    if (!found && status !== 404 && status !== 405) throw new Error(`${where}: nothing is documented there`);
    if (method !== 'HEAD') checkBody(where, found ? response.content : NOWHERE, type, text);
}
