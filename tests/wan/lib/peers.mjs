// How joined regions see one another.
import { until } from '../../e2e/lib/wait.mjs';

export const every_ms = 50;

// { fra: RegionOut, … } as one region sees them.
export async function view(region) {
    const { data } = await region.must('GET', '/regions');
    return Object.fromEntries(data.map(seen => [seen.name, seen]));
}

// Until a region sees others so: { sin: 'dead' }.
export function sees(region, expected) {
    return until(() => view(region),
        seen => Object.entries(expected).every(([name, state]) => seen[name].state === state), every_ms);
}

export const all = (names, state) => Object.fromEntries(names.map(name => [name, state]));

// Until each sees all others alive.
export function allAlive({ regions }) {
    const others = region => regions.map(({ name }) => name).filter(name => name !== region.name);
    return Promise.all(regions.map(region => sees(region, all(others(region), 'alive'))));
}

// Until something that was written elsewhere is in a region.
export function arrives(region, path) {
    return until(() => region.call('GET', path), ({ status }) => status === 200, every_ms);
}

// Make an application at its home, with these endpoints, and wait until all regions have all of it.
export async function tenant({ regions, ...stage }, uid, residency, wanted = []) {
    const home = stage[residency.home];
    const made = await home.must('POST', '/app', { name: uid, uid, residency });
    const endpoints = [];
    for (const fields of wanted) {
        const { id } = await home.must('POST', `/app/${uid}/endpoint`, fields);
        const { key } = await home.must('GET', `/app/${uid}/endpoint/${id}/secret`);
        endpoints.push({ id, secret: key });
    }
    const paths = [`/app/${uid}`, ...endpoints.map(({ id }) => `/app/${uid}/endpoint/${id}`)];
    await Promise.all(regions.flatMap(region => paths.map(path => arrives(region, path))));
    return { ...made, endpoints };
}
