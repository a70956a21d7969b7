// Counters go on from one process to the next.
import { describe, expect, it } from 'vitest';
import { addCarried, countersOf } from '../../src/admin/carried.ts';

const OLD = `# HELP m_total Counted.
# TYPE m_total counter
m_total{zone="a.test",kind="x"} 5
m_total{zone="gone.test",kind="x"} 7
m_total{zone="a.test",kind="old"} 2
# HELP m_now A gauge.
# TYPE m_now gauge
m_now{zone="a.test"} 3
# HELP m_seconds Times.
# TYPE m_seconds histogram
m_seconds_bucket{le="0.1"} 4
m_seconds_bucket{le="+Inf"} 5
m_seconds_sum 1.5
m_seconds_count 5
# HELP process_cpu_seconds_total CPU.
# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total 9
`;

/** A text in pieces of some whole lines each. */
async function* inPieces(text: string): AsyncGenerator<string> {
  const lines = text.split('\n');
  for (let i = 0; i < lines.length; i += 3) yield `${lines.slice(i, i + 3).join('\n')}\n`;
}

async function joined(pieces: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const piece of pieces) text += piece;
  return text;
}

describe('carried counters', () => {
  it('are those of counters and histograms, not gauges and not what a process has of itself', async () => {
    expect(Object.keys(await countersOf(inPieces(OLD)))).toEqual([
      'm_total{zone="a.test",kind="x"}',
      'm_total{zone="gone.test",kind="x"}',
      'm_total{zone="a.test",kind="old"}',
      'm_seconds_bucket{le="0.1"}',
      'm_seconds_bucket{le="+Inf"}',
      'm_seconds_sum',
      'm_seconds_count',
    ]);
  });

  it('are added to what is counted now; what is not counted yet joins its family, and zones that are gone go', async () => {
    const now = OLD.split('\n')
      .filter((line) => !line.includes('gone.test') && !line.includes('"old"'))
      .join('\n');
    const carried = await countersOf(inPieces(OLD));
    const sum = await joined(addCarried(inPieces(now), carried, (zone) => zone === 'a.test'));
    expect(sum).toBe(`# HELP m_total Counted.
# TYPE m_total counter
m_total{zone="a.test",kind="x"} 10
m_total{zone="a.test",kind="old"} 2
# HELP m_now A gauge.
# TYPE m_now gauge
m_now{zone="a.test"} 3
# HELP m_seconds Times.
# TYPE m_seconds histogram
m_seconds_bucket{le="0.1"} 8
m_seconds_bucket{le="+Inf"} 10
m_seconds_sum 3
m_seconds_count 10
# HELP process_cpu_seconds_total CPU.
# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total 9
`);
  });

  it('leave a text as it is where nothing was carried over', async () => {
    expect(await joined(addCarried(inPieces(OLD), {}, () => false))).toBe(await joined(inPieces(OLD)));
  });

  it('know zones whose names the text escapes', async () => {
    const text = '# HELP m_total Counted.\n# TYPE m_total counter\n';
    const seen: string[] = [];
    const isServed = (zone: string): boolean => seen.push(zone) > 0;
    const carried = { 'm_total{zone="a\\\\.b",kind="x"}': 4 };
    expect(await joined(addCarried(inPieces(text), carried, isServed))).toBe(
      `${text}m_total{zone="a\\\\.b",kind="x"} 4\n`,
    );
    expect(seen).toEqual(['a\\.b']);
  });
});
