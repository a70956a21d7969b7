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

describe('carried counters', () => {
  it('are those of counters and histograms, not gauges and not what a process has of itself', () => {
    expect(Object.keys(countersOf(OLD))).toEqual([
      'm_total{zone="a.test",kind="x"}',
      'm_total{zone="gone.test",kind="x"}',
      'm_total{zone="a.test",kind="old"}',
      'm_seconds_bucket{le="0.1"}',
      'm_seconds_bucket{le="+Inf"}',
      'm_seconds_sum',
      'm_seconds_count',
    ]);
  });

  it('are added to what is counted now; what is not counted yet joins its family, and zones that are gone go', () => {
    const now = OLD.split('\n')
      .filter((line) => !line.includes('gone.test') && !line.includes('"old"'))
      .join('\n');
    const sum = addCarried(now, countersOf(OLD));
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
});
