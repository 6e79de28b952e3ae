// Lay out the OpenAPI document as a page. Text goes in as text: nothing of the document is taken for HTML.
'use strict';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];
let root;

function element(name, attributes, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children.flat(Infinity).filter(child => child !== undefined && child !== null));
    return made;
}

// What a reference points to, with what stands beside it.
function resolve(value) {
    if (!value || value.$ref === undefined) return value;
    const path = value.$ref.slice(2).split('/').map(part => part.replace(/~1/g, '/').replace(/~0/g, '~'));
    const { $ref, ...beside } = value;
    return { ...resolve(path.reduce((at, part) => at[part], root)), ...beside };
}

// `code` and [links](https://…); blank lines part paragraphs.
function prose(text = '') {
    return text.trim().split(/\n\s*\n/).map(paragraph => element('p', {}, inline(paragraph)));
}

function inline(text = '') {
    return text.split(/(`[^`]+`|\[[^\]]+\]\(https:[^)]+\))/).map(piece => {
        const link = /^\[([^\]]+)\]\((https:[^)]+)\)$/.exec(piece);
        if (link) return element('a', { href: link[2] }, link[1]);
        return piece.startsWith('`') ? element('code', {}, piece.slice(1, -1)) : piece;
    });
}

function typeOf(schema) {
    const given = resolve(schema);
    const choices = given.anyOf ?? given.oneOf;
    if (choices && !given.type) return choices.map(typeOf).join(' or ');
    const types = [given.type ?? 'anything'].flat();
    const name = type => type !== 'array' || !given.items ? type : `array of ${typeOf(given.items)}`;
    return types.map(name).join(' or ');
}

const RANGES = [['minimum', 'maximum', ''], ['minLength', 'maxLength', ' characters'], ['minItems', 'maxItems', ' items']];
const RULES = [['pattern', 'matches'], ['format', 'format'], ['const', 'always']];

function range(least, most) {
    if (least === undefined) return `at most ${most}`;
    return most === undefined ? `at least ${least}` : `${least} to ${most}`;
}

function limits(schema) {
    const said = RANGES.filter(([least, most]) => schema[least] !== undefined || schema[most] !== undefined)
        .map(([least, most, unit]) => range(schema[least], schema[most]) + unit);
    said.push(...RULES.filter(([rule]) => schema[rule] !== undefined).map(([rule, word]) => `${word} ${schema[rule]}`));
    if (schema.enum) said.push(`one of ${schema.enum.map(value => JSON.stringify(value)).join(', ')}`);
    if (schema.default !== undefined) said.push(`${JSON.stringify(schema.default)} unless given`);
    return said.join('; ');
}

function row(name, schema, required, description) {
    const given = resolve(schema);
    return element('tr', {},
        element('td', {}, name),
        element('td', {},
            element('span', { class: 'quiet' }, [typeOf(given), required && 'required', limits(given)].filter(Boolean).join('; ')),
            element('div', {}, inline(description ?? given.description)),
            inner(given)));
}

// The members of an object, or of an array's items.
function members(schema) {
    const given = resolve(schema);
    if (given?.properties) return given;
    const choices = [given?.items, ...(given?.anyOf ?? [])].filter(Boolean);
    return choices.map(members).find(Boolean);
}

function inner(schema) {
    const object = members(schema);
    if (!object) return undefined;
    return later('Members', () => shape(object));
}

// Written when it is opened: some schemas are deep.
function later(title, make) {
    const made = element('details', {}, element('summary', {}, title));
    made.addEventListener('toggle', () => made.childElementCount === 1 && made.append(make()), { once: true });
    return made;
}

function shape(object) {
    const required = object.required ?? [];
    return element('table', {},
        Object.entries(object.properties).map(([name, schema]) => row(name, schema, required.includes(name))));
}

function examples(media) {
    const given = media.examples ? Object.values(media.examples).map(example => resolve(example).value) : [media.example];
    const text = value => (typeof value === 'string' ? value : JSON.stringify(value, null, 2));
    return given.filter(value => value !== undefined).map(value => element('pre', {}, text(value)));
}

function content(of) {
    return Object.entries(of ?? {}).map(([type, media]) => {
        const object = members(media.schema);
        return element('div', {}, element('span', { class: 'quiet' }, type), examples(media),
            object && later('Schema', () => shape(object)));
    });
}

function parametersOf(shared, operation) {
    const all = [...(shared ?? []), ...(operation.parameters ?? [])].map(resolve);
    if (all.length === 0) return undefined;
    return [element('h4', {}, 'Parameters'), element('table', {},
        all.map(p => row(p.name, { ...resolve(p.schema) }, p.required, `${p.description ?? ''} (${p.in})`.trim())))];
}

function responsesOf(operation) {
    return [element('h4', {}, 'Answers'), Object.entries(operation.responses).map(([status, response]) => {
        const given = resolve(response);
        const title = element('span', {}, element('code', {}, status), ' ', inline(given.description));
        const body = content(given.content);
        if (body.length === 0) return element('p', {}, title);
        const made = element('details', {}, element('summary', {}, title), body);
        if (status.startsWith('2')) made.setAttribute('open', '');
        return made;
    })];
}

function access(operation) {
    const schemes = (operation.security ?? root.security).flatMap(Object.keys);
    return schemes.length === 0 ? 'no token' : `token: ${schemes.join(' or ')}`;
}

function show(method, path, shared, operation, isOurs) {
    const body = resolve(operation.requestBody);
    return element('article', { id: operation.operationId },
        element('h3', {}, operation.summary),
        element('div', { class: 'path' }, element('span', { class: 'method' }, method.toUpperCase()), ` ${path}`),
        isOurs && element('div', { class: 'quiet' }, access(operation)) || undefined,
        prose(operation.description),
        parametersOf(shared, operation),
        body && [element('h4', {}, 'Body'), content(body.content)],
        responsesOf(operation));
}

function operations(of, isOurs) {
    return Object.entries(of ?? {}).flatMap(([path, item]) => METHODS.filter(method => item[method]).map(method => ({
        tags: item[method].tags, summary: item[method].summary, id: item[method].operationId,
        make: () => show(method, isOurs ? path : 'the URL of the endpoint', item.parameters, item[method], isOurs),
    })));
}

function layOut() {
    const main = document.getElementById('document');
    const contents = document.getElementById('contents');
    const all = [...operations(root.paths, true), ...operations(root.webhooks, false)];

    document.getElementById('notice').remove();
    main.append(element('h1', {}, root.info.title, ' ', element('small', {}, root.info.version)), ...prose(root.info.description),
        element('p', {}, element('a', { href: '/api/v1/openapi.json' }, 'The document itself'), ', OpenAPI ', root.openapi, '.'));
    for (const tag of root.tags) {
        const own = all.filter(operation => operation.tags.includes(tag.name));
        contents.append(element('h2', {}, tag.name),
            ...own.map(operation => element('a', { href: `#${operation.id}` }, operation.summary)));
        main.append(element('section', {}, element('h2', {}, tag.name), prose(tag.description),
            own.map(operation => operation.make())));
    }
    if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

fetch('/api/v1/openapi.json')
    .then(response => response.json())
    .then(given => {
        root = given;
        layOut();
    })
    .catch(error => document.getElementById('notice').append(` It failed: ${error.message}`));
