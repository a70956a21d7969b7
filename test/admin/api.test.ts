import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningAdmin, runAdmin } from '../support/admin.ts';

let running: RunningAdmin;

beforeEach(async () => {
  running = await runAdmin({ hosts: ['dns.example.org'] });
});

afterEach(() => running.admin.stop());

const RIO = `/api/v1/targets/${encodeURIComponent('net.cat/rio/2001:db8::1')}/force`;

describe('what the admin tells', () => {
  it('is alive at once, and ready when the control plane is', async () => {
    running.control.isReady = false;
    expect((await running.ask('GET', '/healthz')).status).toBe(200);
    const waiting = await running.ask('GET', '/readyz');
    expect(waiting.status).toBe(503);
    expect(waiting.json.code).toBe('not-ready');
    running.control.isReady = true;
    expect((await running.ask('GET', '/readyz')).status).toBe(200);
  });

  it('tells the status with the address that it really listens on', async () => {
    const { json } = await running.ask('GET', '/api/v1/status');
    expect(json.version).toBe('0.1.0');
    expect(json.admin).toBe(running.admin.url);
  });

  it('lists targets and zones', async () => {
    expect((await running.ask('GET', '/api/v1/health')).json.targets[0].id).toBe('net.cat/moscow/127.0.1.1');
    expect((await running.ask('GET', '/api/v1/zones')).json.zones[0].name).toBe('net.cat');
    expect((await running.ask('GET', '/api/v1/zones/NET.cat.')).json.name).toBe('net.cat');
    expect((await running.ask('GET', '/api/v1/zones/other.org')).json.code).toBe('not-found');
  });

  it('hands an explain on as it was asked', async () => {
    const reply = await running.ask('GET', '/api/v1/explain?name=net.cat&type=AAAA&client=2001:db8::1&resolver=');
    expect(reply.status).toBe(200);
    expect(reply.json.answer.scope).toBe(16);
    expect(running.control.asked).toEqual([['explain', { name: 'net.cat', type: 'AAAA', client: '2001:db8::1' }]]);
  });

  it('refuses parameters that it would have to ignore', async () => {
    const typo = await running.ask('GET', '/api/v1/explain?name=net.cat&clinet=192.0.2.1');
    expect(typo.status).toBe(400);
    expect(typo.json.detail).toContain('did you mean "client"?');
    const twice = await running.ask('GET', '/api/v1/explain?name=net.cat&name=net.dog');
    expect(twice.json.detail).toContain('twice');
    expect((await running.ask('GET', '/api/v1/explain')).json.detail).toContain('which name');
    expect(running.control.asked).toEqual([]);
  });

  it('passes on what the control plane refuses', async () => {
    const { status, json } = await running.ask('GET', '/api/v1/explain?name=net.cat&client=nonsense');
    expect([status, json.code]).toEqual([400, 'bad-address']);
  });

  it('gives the coverage, of A records when no type is given', async () => {
    expect((await running.ask('GET', '/api/v1/coverage?name=net.cat')).json.rows).toHaveLength(2);
    expect(running.control.asked).toEqual([['coverage', 'net.cat', 'A']]);
  });
});

describe("the operator's hand", () => {
  it('forces a target whose id is one percent-encoded segment', async () => {
    const body = { state: 'down', for: '30m', reason: ' works ' };
    const reply = await running.ask('PUT', RIO, { body });
    expect(reply.status).toBe(200);
    expect(reply.json.emptied).toEqual(['rio.net.cat A']);
    expect(reply.json.stored).toBe(true);
    const wanted = { state: 'down', forMs: 1_800_000, reason: 'works', by: 'local' };
    expect(running.control.asked).toEqual([['forceTarget', 'net.cat/rio/2001:db8::1', wanted]]);
  });

  it('forces for ever, and releases', async () => {
    await running.ask('PUT', RIO, { body: { state: 'drain', for: 'forever', reason: 'gone' } });
    await running.ask('DELETE', RIO);
    expect(running.control.asked[0]![2]).toMatchObject({ state: 'drain', forMs: null });
    expect(running.control.asked[1]).toEqual(['unforceTarget', 'net.cat/rio/2001:db8::1', 'local']);
  });

  it('forces a pool', async () => {
    const path = '/api/v1/pools/net.cat/moscow/force';
    const reply = await running.ask('PUT', path, { body: { state: 'up', for: 90, reason: 'known good' } });
    expect(reply.json.targets).toHaveLength(1);
    expect((await running.ask('DELETE', path)).status).toBe(200);
    expect(running.control.asked[0]).toEqual([
      'forcePool',
      'net.cat',
      'moscow',
      { state: 'up', forMs: 90_000, reason: 'known good', by: 'local' },
    ]);
  });

  it('takes an id as long as names can be', async () => {
    const id = `${'a'.repeat(250)}/${'b'.repeat(60)}/${'c'.repeat(250)}.`;
    const path = `/api/v1/targets/${encodeURIComponent(id)}/force`;
    expect((await running.ask('DELETE', path)).json.code).toBe('unknown-target');
    expect(running.control.asked[0]![1]).toBe(id);
  });

  it.each([
    ['no body', undefined],
    ['no object', '[]'],
    ['no JSON', '{"state": down}'],
    ['a state that is none', { state: 'off', for: '30m', reason: 'x' }],
    ['no duration', { state: 'down', reason: 'x' }],
    ['a duration of nothing', { state: 'down', for: '0s', reason: 'x' }],
    ['a duration that is none', { state: 'down', for: '30 minutes', reason: 'x' }],
    ['no reason', { state: 'down', for: '30m' }],
    ['an empty reason', { state: 'down', for: '30m', reason: ' ' }],
    ['an unknown key', { state: 'down', for: '30m', reason: 'x', until: 'y' }],
  ])('refuses %s', async (_what, body) => {
    const reply = await running.ask('PUT', RIO, body === undefined ? {} : { body });
    expect(reply.status).toBe(400);
    expect(reply.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(reply.json).toMatchObject({ type: 'about:blank', title: 'Bad Request', status: 400, code: 'bad-body' });
    expect(running.control.asked).toEqual([]);
  });

  it('names every mistake of a body at once', async () => {
    const { json } = await running.ask('PUT', RIO, { body: { stat: 'down', for: 'soon' } });
    for (const part of ['"state" must', '"for" must', '"reason" must', 'did you mean "state"?']) {
      expect(json.detail).toContain(part);
    }
  });

  it("reads JSON whatever type curl's -d gives it", async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const reply = await running.ask('PUT', RIO, { headers, body: { state: 'down', for: '1h', reason: 'x' } });
    expect(reply.status).toBe(200);
  });

  it('refuses a body that is too large without reading it', async () => {
    const body = { state: 'down', for: '1h', reason: 'x'.repeat(2_000_000) };
    const reply = await running.ask('PUT', RIO, { body }).catch((error: NodeJS.ErrnoException) => error.code);
    // The connection may be cut before the client has written all of it.
    if (typeof reply === 'object') expect(reply.json.code).toBe('too-large');
    else expect(['EPIPE', 'ECONNRESET']).toContain(reply);
    expect(running.control.asked).toEqual([]);
  });

  it('says which target is not there', async () => {
    const body = { state: 'down', for: '1h', reason: 'x' };
    const reply = await running.ask('PUT', '/api/v1/targets/net.cat%2Frio%2F9.9.9.9/force', { body });
    expect([reply.status, reply.json.code]).toEqual([404, 'unknown-target']);
  });

  it('freezes verdicts and lets them move again', async () => {
    const frozen = await running.ask('PUT', '/api/v1/health/freeze', { body: { for: '10m', reason: 'moving racks' } });
    expect(frozen.json.frozen.reason).toBe('moving racks');
    expect((await running.ask('DELETE', '/api/v1/health/freeze')).json.frozen).toBeNull();
    expect(running.control.asked.map((asked) => asked[1])).toEqual([600_000, 0]);
  });

  it('waits until the server has started', async () => {
    running.control.isReady = false;
    const body = { state: 'down', for: '1h', reason: 'x' };
    expect((await running.ask('PUT', RIO, { body })).json.code).toBe('not-ready');
    expect((await running.ask('POST', '/api/v1/reload')).status).toBe(503);
    expect(running.control.asked).toEqual([]);
  });

  it('reloads', async () => {
    expect((await running.ask('POST', '/api/v1/reload')).json.changed).toEqual(['net.cat']);
  });
});

describe('every reply', () => {
  it.each([
    ['127.0.0.1:8053', 200],
    ['[::1]:8053', 200],
    ['203.0.113.9', 200],
    ['localhost', 200],
    ['LOCALHOST:80', 200],
    ['dns.example.org:8053', 200],
    ['DNS.example.org.', 200],
    ['evil.example.com', 403],
    ['localhost.evil.example.com', 403],
    ['127.0.0.1.evil.example.com', 403],
    ['localhost:evil', 403],
    ['user@localhost', 403],
  ])('to Host %s has the status %i', async (host, status) => {
    const reply = await running.ask('GET', '/api/v1/status', { headers: { host } });
    expect(reply.status).toBe(status);
    if (status === 403) expect(reply.json.code).toBe('bad-host');
  });

  it('refuses changes that a foreign page asks for', async () => {
    const headers = { origin: 'https://evil.example.com' };
    expect((await running.ask('POST', '/api/v1/reload', { headers })).json.code).toBe('bad-origin');
    expect((await running.ask('POST', '/api/v1/reload', { headers: { origin: running.admin.url } })).status).toBe(200);
    expect(running.control.asked).toEqual([['reload']]);
  });

  it('is a problem document where there is nothing, and names the methods where there is', async () => {
    const nothing = await running.ask('GET', '/api/v2/status');
    expect([nothing.status, nothing.json.code]).toEqual([404, 'not-found']);
    const wrong = await running.ask('POST', '/api/v1/status');
    expect([wrong.status, wrong.json.code]).toEqual([405, 'wrong-method']);
    expect(wrong.headers.allow).toContain('GET');
    const strange = await running.ask('GET', '/api/v1/zones/%ff');
    expect([strange.status, strange.headers['content-type']]).toEqual([400, 'application/problem+json; charset=utf-8']);
  });

  it('tells nothing of the inside when the server made a mistake', async () => {
    running.control.status = () => {
      throw new Error('secret path /etc/passwd');
    };
    const reply = await running.ask('GET', '/api/v1/status');
    expect([reply.status, reply.json.code]).toEqual([500, 'internal']);
    expect(reply.text).not.toContain('secret');
  });

  it('forbids the page everything that is not its own', async () => {
    const page = await running.ask('GET', '/');
    expect(page.status).toBe(200);
    expect(page.headers['content-type']).toMatch(/^text\/html/);
    expect(page.headers['content-security-policy']).toContain("default-src 'none'");
    // It may lead elsewhere, but loads nothing from there.
    const withoutLinks = page.text.replaceAll(/<a href="https:[^"]+">/g, '');
    expect(withoutLinks).not.toMatch(/https?:\/\/(?!www\.w3\.org)/);
    expect(page.text).not.toMatch(/<script>|style=|onclick/);
    for (const file of ['dashboard.js', 'dashboard.css']) {
      expect(page.text).toContain(file);
      expect((await running.ask('GET', `/${file}`)).status).toBe(200);
    }
    expect((await running.ask('GET', '/..%2fpackage.json')).status).toBe(404);
  });
});
