// The dashboard: reads the admin's own API and draws it; everything from the server is set as text, never as markup.

const byId = (id) => document.getElementById(id);
const state = {
  status: null,
  targets: [],
  events: [],
  rate: null,
  last: null,
  token: sessionStorage.getItem('meridian-token'),
};

/** An element with attributes and children; strings become text. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === 'class') element.className = value;
    else element.setAttribute(name, value);
  }
  const shown = children.filter((child) => child !== null && child !== undefined);
  element.append(...shown.map((child) => (typeof child === 'string' ? visible(child) : child)));
  return element;
}

/** What a backend or a zone file says may turn text around or hide in it: such characters are shown as their codes. */
function visible(text) {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) =>
    [...Array(character.length).keys()]
      .map((i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}

async function ask(path, options = {}) {
  const headers = { ...options.headers };
  if (state.token) headers.authorization = `Bearer ${state.token}`;
  const response = await fetch(path, { ...options, headers });
  if (response.status === 401) {
    byId('token-form').hidden = false;
    byId('token-problem').textContent = state.token ? 'This token is not known.' : '';
    throw new Error('a token is needed');
  }
  if (!response.ok) {
    const problem = await response.json().catch(() => ({}));
    throw new Error(problem.detail ?? `${response.status}`);
  }
  byId('token-form').hidden = true;
  return response;
}

const readJson = async (path) => (await ask(path)).json();

function duration(seconds) {
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

const ago = (timestamp) => duration(Math.max(0, (Date.now() - Date.parse(timestamp)) / 1000));
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

function measureRate(status) {
  const { counters } = status;
  const queries = (counters.udpQueries ?? 0) + (counters.tcpQueries ?? 0);
  const now = performance.now();
  if (state.last !== null && now - state.last.now > 500) {
    state.rate = Math.max(0, ((queries - state.last.queries) * 1000) / (now - state.last.now));
    state.last = { queries, now };
  }
  state.last ??= { queries, now };
  return queries;
}

function drawFigures(status) {
  const queries = measureRate(status);
  const share = queries === 0 ? 0 : (100 * (status.counters.ecsQueries ?? 0)) / queries;
  const { health } = status;
  const figures = [
    [compact.format(Math.round(state.rate ?? 0)), 'queries a second'],
    [compact.format(queries), 'queries in all'],
    [`${share.toFixed(0)} %`, 'with a client subnet'],
    [`${health.up} / ${health.targets}`, 'backends up'],
    [`${status.zones.filter((zone) => zone.state === 'ok').length} / ${status.zones.length}`, 'zones in order'],
    [duration(status.uptimeSeconds), 'uptime'],
  ];
  byId('figures').replaceChildren(
    ...figures.map(([value, what]) => make('div', { class: 'figure' }, make('b', {}, value), make('span', {}, what))),
  );
  byId('about').textContent = `${status.version} · ${status.listen.join(' · ')}`;
  drawSources(status.geo.databases);
}

/** What the licences of databases that an operator put in ask to be said where their results are shown. */
const ATTRIBUTIONS = [
  [/^GeoLite2?-/, 'This product includes GeoLite data created by MaxMind, available from', 'https://www.maxmind.com'],
  [/^DBIP-/i, 'IP Geolocation by', 'https://db-ip.com'],
  [/^ipinfo /i, 'IP address data powered by', 'https://ipinfo.io'],
  [/^Meridian-RIR-/, 'Countries of registration: Number Resource Organization (CC BY 4.0),', 'https://www.nro.net'],
];

function drawSources(databases) {
  const used = ATTRIBUTIONS.filter(([type]) => databases.some((database) => type.test(database.type)));
  const parts = used.flatMap(([, text, url]) => [
    `${text} `,
    make('a', { href: url }, url.replace('https://', '')),
    '. ',
  ]);
  byId('sources').replaceChildren(...parts);
}

function drawAlarms(status) {
  const { health } = status;
  const alarms = status.failOpen.map((set) => ['', `Fail-open: ${set} answers with members that are down`]);
  for (const zone of status.zones) {
    if (zone.state === 'error')
      alarms.push(['', `The zone ${zone.name} has errors and no good version: it answers SERVFAIL`]);
    if (zone.state === 'stale')
      alarms.push(['mild', `${zone.file} has errors: the last good version of ${zone.name} is served`]);
  }
  if (health.blackout) alarms.push(['', `Blackout guard: verdicts are held since ${ago(health.blackout.since)}`]);
  if (health.frozen) alarms.push(['mild', `Verdicts are frozen by ${health.frozen.by}: ${health.frozen.reason}`]);
  if (!status.ready) alarms.push(['mild', 'Waiting for the first round of probes']);
  for (const warning of [...status.warnings, ...status.geo.problems]) alarms.push(['mild', warning]);
  byId('alarms').replaceChildren(...alarms.map(([kind, text]) => make('li', { class: kind }, text)));
}

/** A line of the last latencies, in milliseconds. */
function sparkline(latencies) {
  const values = latencies.slice(-40);
  if (values.length < 2) return make('span');
  const most = Math.max(...values, 1);
  const points = values.map(
    (ms, i) => `${((i * 100) / (values.length - 1)).toFixed(1)},${(18 - (16 * ms) / most).toFixed(1)}`,
  );
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 100 20');
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('class', 'spark');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', `latency of the last ${values.length} probes, at most ${Math.round(most)} ms`);
  const line = document.createElementNS('http://www.w3.org/2000/svg', 'polyline');
  line.setAttribute('points', points.join(' '));
  line.setAttribute('vector-effect', 'non-scaling-stroke');
  svg.append(line);
  return svg;
}

function drawMember(target) {
  const story = [];
  if (target.forced) story.push(`${target.forced.by}: ${target.forced.reason}`);
  if (target.forced?.until) story.push(`until ${new Date(target.forced.until).toLocaleTimeString()}`);
  if (target.drain)
    story.push(
      target.drain.safe ? 'safe to switch off' : `safe to switch off in ${duration(target.drain.secondsLeft)}`,
    );
  if (target.check === null) story.push('not watched');
  else if (target.lastProbe) story.push(`${target.lastProbe.reason} (${target.lastProbe.latencyMs.toFixed(1)} ms)`);
  if (target.since) story.push(`${target.state} for ${ago(target.since)}`);
  if (target.flapping) story.push('flapping');
  const badge = target.forced
    ? make(
        'span',
        { class: 'state forced', title: `forced; the probes say ${target.state}` },
        `forced ${target.forced.state}`,
      )
    : make('span', { class: `state ${target.state}` }, target.state);
  return make(
    'div',
    { class: 'member' },
    badge,
    make('code', {}, target.address),
    sparkline(target.latencies),
    make('small', {}, story.join(' · ')),
  );
}

function drawPools(targets) {
  const pools = new Map();
  for (const target of targets) {
    const id = `${target.zone}/${target.pool}`;
    pools.set(id, [...(pools.get(id) ?? []), target]);
  }
  const cards = [...pools].map(([id, members]) => {
    const live = members.filter((m) => (m.forced ? m.forced.state === 'up' : m.state !== 'down')).length;
    const [zone, pool] = [members[0].zone, members[0].pool];
    return make(
      'div',
      { class: 'pool', id },
      make('h3', {}, pool, make('small', {}, `${zone} · ${live} of ${members.length} live`)),
      ...members.map(drawMember),
    );
  });
  byId('pools').replaceChildren(...(cards.length > 0 ? cards : [make('p', { class: 'none' }, 'No zone has pools.')]));
}

function drawZones(zones) {
  const head = make('tr', {}, make('th', {}, 'zone'), make('th', {}, 'state'), make('th', {}, 'owner'));
  for (const title of [
    'names',
    'record sets',
    'targets',
    'errors',
    'warnings',
    'by ECS',
    'by resolver',
    'unknown place',
  ]) {
    head.append(make('th', { class: 'number' }, title));
  }
  const rows = zones.map((zone) => {
    const kind = { ok: 'up', stale: 'stale', error: 'down' }[zone.state];
    const row = make(
      'tr',
      {},
      make('td', {}, make('code', {}, zone.name)),
      make('td', {}, make('span', { class: `state ${kind}` }, zone.state)),
      make('td', {}, zone.owner ?? ''),
    );
    const { ecs, resolver, unknownPlace } = zone.queries;
    for (const value of [
      zone.names,
      zone.records,
      zone.targets,
      zone.errors,
      zone.warnings,
      ecs,
      resolver,
      unknownPlace,
    ]) {
      row.append(make('td', { class: 'number' }, compact.format(value)));
    }
    return row;
  });
  byId('zones').replaceChildren(head, ...rows);
  const name = byId('explain-name');
  if (name.value === '' && document.activeElement !== name && zones.length > 0) name.value = zones[0].name;
}

function drawEvents() {
  const items = state.events
    .slice(-60)
    .reverse()
    .map((event) => {
      const at = new Date(event.at);
      return make(
        'li',
        {},
        make('time', { datetime: event.at, title: at.toLocaleString() }, at.toLocaleTimeString('en-GB')),
        make('span', {}, event.message),
      );
    });
  byId('events').replaceChildren(
    ...(items.length > 0 ? items : [make('li', { class: 'none' }, 'Nothing has happened yet.')]),
  );
}

async function refresh() {
  const [status, health] = await Promise.all([readJson('api/v1/status'), readJson('api/v1/health')]);
  state.status = status;
  drawFigures(status);
  drawAlarms(status);
  drawPools(health.targets);
  drawZones(status.zones);
}

let refreshing = false;
let again = false;

/** One refresh at a time; what is asked for meanwhile becomes one more. */
async function refreshSoon() {
  if (refreshing) {
    again = true;
    return;
  }
  refreshing = true;
  try {
    await refresh();
  } catch (error) {
    setLive('off', error.message);
  }
  refreshing = false;
  if (again) {
    again = false;
    setTimeout(refreshSoon, 250);
  }
}

function setLive(kind, text) {
  byId('live').className = kind;
  byId('live').textContent = text;
}

function takeEvent(event) {
  if (state.events.some((known) => known.id === event.id)) return;
  state.events = [...state.events, event].slice(-200);
}

/** Reads the live stream through fetch, which can send a token where EventSource can't. */
async function follow() {
  for (;;) {
    try {
      const response = await ask('api/v1/events?limit=60', { headers: { accept: 'text/event-stream' } });
      setLive('on', 'live');
      drawEvents();
      void refreshSoon();
      let text = '';
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
        text += chunk.value;
        const messages = text.split('\n\n');
        text = messages.pop();
        const data = messages.flatMap((message) => message.split('\n').filter((line) => line.startsWith('data: ')));
        for (const line of data) takeEvent(JSON.parse(line.slice(6)));
        if (data.length > 0) {
          drawEvents();
          void refreshSoon();
        }
      }
      setLive('off', 'connection lost');
    } catch (error) {
      setLive('off', error.message === 'a token is needed' ? error.message : 'the server does not answer');
    }
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}

byId('token-form').addEventListener('submit', (event) => {
  event.preventDefault();
  state.token = byId('token').value.trim();
  sessionStorage.setItem('meridian-token', state.token);
  byId('token').value = '';
  void refreshSoon();
});

byId('explain-form').addEventListener('submit', async (event) => {
  event.preventDefault();
  const asked = new URLSearchParams({ name: byId('explain-name').value.trim(), type: byId('explain-type').value });
  const client = byId('explain-client').value.trim();
  if (client !== '') asked.set('client', client);
  try {
    const explanation = await readJson(`api/v1/explain?${asked}`);
    const { rcode, records } = explanation.answer;
    byId('explanation').replaceChildren(
      ...explanation.steps.map((step) => make('li', {}, step)),
      ...(records.length > 0 ? records : [rcode]).map((line) =>
        make('li', { class: 'answer' }, make('code', {}, line)),
      ),
    );
  } catch (error) {
    byId('explanation').replaceChildren(make('li', { class: 'answer' }, error.message));
  }
});

setInterval(() => document.hidden || refreshSoon(), 2000);
void refreshSoon();
void follow();
